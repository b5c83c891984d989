"""Who may open a file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Member, Seat
from apps.files.errors import FileNotFound
from apps.files.models import FileScope
from apps.files.selectors.files import can_open, find_content, get_content, get_file, openable_files
from apps.files.services.access import attach, release
from tests.factories.accounts import MemberFactory, ScopeFactory, SeatFactory, principal_of
from tests.factories.files import upload


def test_only_the_uploader_opens_a_file_nobody_attached(member: Member) -> None:
    view = upload(member)
    colleague = MemberFactory(organization=member.organization)
    admin = MemberFactory(organization=member.organization, role="owner")
    assert can_open(principal_of(member), view.id)
    assert not can_open(principal_of(colleague), view.id)
    assert not can_open(principal_of(admin), view.id)


def test_a_seat_in_a_scope_opens_and_its_end_closes(member: Member) -> None:
    view, scope = upload(member), ScopeFactory(organization=member.organization)
    reader = MemberFactory(organization=member.organization)
    SeatFactory(scope=scope, member=reader)
    assert not can_open(principal_of(reader), view.id)
    attach(file_id=view.id, scope_id=scope.pk)
    attach(file_id=view.id, scope_id=scope.pk)
    assert FileScope.objects.count() == 1
    assert can_open(principal_of(reader), view.id)
    assert get_file(principal=principal_of(reader), file_id=view.id).id == view.id
    Seat.objects.update(left_at=timezone.now())
    assert not can_open(principal_of(reader), view.id)


def test_the_uploader_who_left_the_scope_loses_the_file(member: Member) -> None:
    view, scope = upload(member), ScopeFactory(organization=member.organization)
    attach(file_id=view.id, scope_id=scope.pk)
    with pytest.raises(FileNotFound):
        get_content(principal=principal_of(member), file_id=view.id)


def test_a_member_without_history_does_not_open_older_files(member: Member) -> None:
    view, scope = upload(member), ScopeFactory(organization=member.organization)
    attach(file_id=view.id, scope_id=scope.pk)
    FileScope.objects.update(attached_at=timezone.now() - timedelta(days=1))
    late = MemberFactory(organization=member.organization)
    SeatFactory(scope=scope, member=late, visible_from=timezone.now() - timedelta(hours=1))
    assert not can_open(principal_of(late), view.id)
    FileScope.objects.update(attached_at=timezone.now())
    assert can_open(principal_of(late), view.id)


def test_a_guest_does_not_open_what_is_open_to_the_organization(member: Member) -> None:
    view = upload(member)
    scope = ScopeFactory(organization=member.organization, audience="organization")
    attach(file_id=view.id, scope_id=scope.pk)
    guest = MemberFactory(organization=member.organization, role="guest")
    colleague = MemberFactory(organization=member.organization)
    assert can_open(principal_of(colleague), view.id)
    assert not can_open(principal_of(guest), view.id)


def test_a_released_file_is_its_uploaders_again(member: Member) -> None:
    view = upload(member)
    scopes = [ScopeFactory(organization=member.organization) for _ in range(2)]
    for scope in scopes:
        attach(file_id=view.id, scope_id=scope.pk)
    release(file_ids=[view.id], scope_id=scopes[0].pk)
    assert not can_open(principal_of(member), view.id)
    release(file_ids=[view.id], scope_id=scopes[1].pk)
    assert can_open(principal_of(member), view.id)


def test_a_foreign_file_cannot_be_attached(member: Member) -> None:
    foreign = upload(MemberFactory())
    scope = ScopeFactory(organization=member.organization)
    with pytest.raises(FileNotFound):
        attach(file_id=foreign.id, scope_id=scope.pk)
    assert not FileScope.objects.exists()
    assert find_content(organization_id=member.organization_id, file_id=foreign.id) is None


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_of_files_costs_one_query(
    member: Member, count: int, django_assert_num_queries: object
) -> None:
    for number in range(count):
        upload(member, f"{number}.txt", f"{number}".encode())
    who = principal_of(member)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(list(openable_files(who))) == count

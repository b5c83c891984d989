"""Seats in the organization: who may change whom, what ends with a membership, what is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from apps.accounts.errors import (
    AlreadyMember,
    LanguageUnknown,
    LastOwner,
    MemberNotFound,
    NameNotValid,
    PermissionMissing,
    RoleAboveOwn,
    RoleNotFound,
    ThemeUnknown,
)
from apps.accounts.models import Member, Organization, Seat, User
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.selectors.sessions import find_user_id
from apps.accounts.services import members
from apps.accounts.types import Principal
from apps.core import tenancy
from tests.accounts.events import recorded
from tests.accounts.sessions import open_session
from tests.factories.accounts import (
    MemberFactory,
    OrganizationFactory,
    PersonFactory,
    SeatFactory,
    api_key,
    principal_of,
)
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def test_adding_a_member_is_told_to_the_organization(here: Organization) -> None:
    person = PersonFactory()
    member_id = members.add_member(
        organization_id=here.pk, user_id=person.pk, role="guest", name="  Ada \n Lovelace "
    )
    stored = Member.objects.get(pk=member_id)
    assert (stored.name, stored.role.key, stored.user_id) == ("Ada Lovelace", "guest", person.pk)
    told = {"member_id": str(member_id), "principal_id": str(person.pk), "role": "guest", "is_active": True}
    assert recorded() == [("member.changed", told)]


def test_a_member_is_added_once(here: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    with pytest.raises(AlreadyMember):
        members.add_member(organization_id=here.pk, user_id=ada.user_id, role="admin", name="Ada")
    assert Member.objects.get().role.key == "member"
    assert recorded() == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\ud800b", "\u0007"])
def test_a_name_must_be_a_name(here: Organization, name: str) -> None:
    with pytest.raises(NameNotValid):
        members.add_member(organization_id=here.pk, user_id=PersonFactory().pk, role="member", name=name)
    assert not Member.objects.exists()


def test_a_role_of_another_organization_does_not_exist(here: Organization) -> None:
    with pytest.raises(RoleNotFound):
        members.add_member(organization_id=here.pk, user_id=PersonFactory().pk, role="missing", name="Ada")


def test_an_agent_belongs_to_its_organization(here: Organization) -> None:
    agent_id = members.create_principal(organization_id=here.pk, kind="agent", name="Elyza")
    agent = User.objects.get(pk=agent_id)
    assert (agent.kind, agent.email, agent.organization_id) == ("agent", None, here.pk)
    assert not agent.has_usable_password()
    assert Member.objects.get(user_id=agent_id).role.key == "member"


def test_a_changed_role_is_told_to_the_member_and_the_organization(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    ada = member()
    members.change_role(principal=acting("admin"), member_id=ada.pk, role="moderator")
    assert principal_of(ada).role == "moderator"
    assert [name for name, _ in recorded()] == ["access.changed", "member.changed"]
    assert recorded("access.changed")[0][1] == {"principal_id": str(ada.user_id), "role": "moderator"}


def test_the_same_role_again_changes_nothing(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    members.change_role(principal=acting("admin"), member_id=member().pk, role="member")
    assert recorded() == []


@pytest.mark.parametrize(
    ("actor", "target", "role", "refusal"),
    [
        ("admin", "member", "owner", RoleAboveOwn),
        ("admin", "owner", "member", RoleAboveOwn),
        ("moderator", "member", "guest", PermissionMissing),
        ("member", "member", "admin", PermissionMissing),
        ("guest", "guest", "owner", PermissionMissing),
        ("owner", "member", "missing", RoleNotFound),
    ],
)
def test_nobody_gives_or_takes_more_than_it_has(
    *,
    here: Organization,
    member: Callable[..., Member],
    acting: Callable[..., Principal],
    actor: str,
    target: str,
    role: str,
    refusal: type[Exception],
) -> None:
    changed = member(target)
    with pytest.raises(refusal):
        members.change_role(principal=acting(actor), member_id=changed.pk, role=role)
    assert Member.objects.get(pk=changed.pk).role.key == target
    assert recorded() == []


def test_a_foreign_member_does_not_exist(here: Organization, acting: Callable[..., Principal]) -> None:
    owner, foreign = acting("owner"), MemberFactory()
    for member_id in (foreign.pk, uuid4()):
        for change in (
            lambda pk: members.change_role(principal=owner, member_id=pk, role="guest"),
            lambda pk: members.deactivate_member(principal=owner, member_id=pk),
            lambda pk: members.reactivate_member(principal=owner, member_id=pk),
        ):
            with pytest.raises(MemberNotFound):
                change(member_id)
    with everywhere():
        assert Member.objects.get(pk=foreign.pk).deactivated_at is None
    assert recorded() == []


def test_the_last_owner_stays(here: Organization, member: Callable[..., Member]) -> None:
    owner = member("owner")
    member("owner", user=PersonFactory(is_active=False))
    principal = principal_of(owner)
    with pytest.raises(LastOwner):
        members.change_role(principal=principal, member_id=owner.pk, role="admin")
    with pytest.raises(LastOwner):
        members.deactivate_member(principal=principal, member_id=owner.pk)
    assert principal_of(owner).role == "owner"
    member("owner")
    members.change_role(principal=principal, member_id=owner.pk, role="admin")
    assert principal_of(owner).role == "admin"


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_once() -> None:
    organization = OrganizationFactory()
    owners = [principal_of(MemberFactory(organization=organization, role="owner")) for _ in range(2)]
    barrier, refusals = threading.Barrier(2), []

    def remove(actor: Principal, target: Principal) -> None:
        try:
            with tenancy.use(organization.pk):
                barrier.wait(timeout=10)
                members.change_role(principal=actor, member_id=target.member_id, role="admin")
        except LastOwner as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in (owners, owners[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(refusals) == 1
    with everywhere():
        assert Member.objects.filter(role__key="owner").count() == 1


def test_deactivation_ends_keys_seats_and_sessions(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    ada = member()
    key, seat, session_key = (
        api_key(ada),
        SeatFactory(scope__organization=here, member=ada),
        open_session(ada.user),
    )
    assert find_user_id(session_key) == ada.user_id
    members.deactivate_member(principal=acting("admin"), member_id=ada.pk)
    key.row.refresh_from_db()
    seat.refresh_from_db()
    assert key.row.revoked_at is not None
    assert seat.left_at is not None
    assert find_user_id(session_key) is None
    assert not Session.objects.filter(session_key=session_key).exists()
    told = recorded()
    assert [name for name, _ in told] == [
        "seat.removed",
        "access.revoked",
        "access.revoked",
        "member.changed",
    ]
    assert told[2][1] == {
        "principal_id": str(ada.user_id), "session": "", "reason": "member_deactivated",
    }  # fmt: skip
    assert told[3][1]["is_active"] is False
    members.deactivate_member(principal=acting("admin"), member_id=ada.pk)
    assert len(recorded()) == len(told)


def test_deactivation_leaves_other_organizations_alone(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    ada = member()
    elsewhere = MemberFactory(user=ada.user)
    other_key, session_key = api_key(elsewhere), open_session(ada.user)
    other_seat = SeatFactory(scope__organization=elsewhere.organization, member=elsewhere)
    members.deactivate_member(principal=acting("admin"), member_id=ada.pk)
    with everywhere():
        other_key.row.refresh_from_db()
        other_seat.refresh_from_db()
    assert (other_key.row.revoked_at, other_seat.left_at) == (None, None)
    assert find_user_id(session_key) == ada.user_id
    assert principal_of(elsewhere).id == ada.user_id


def test_reactivation_opens_the_seat_but_not_what_ended(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    ada, admin = member(), acting("admin")
    key, seat = api_key(ada), SeatFactory(scope__organization=here, member=ada)
    members.deactivate_member(principal=admin, member_id=ada.pk)
    members.reactivate_member(principal=admin, member_id=ada.pk)
    assert principal_of(ada).role == "member"
    key.row.refresh_from_db()
    assert key.row.revoked_at is not None
    assert not Seat.objects.filter(pk=seat.pk, left_at=None).exists()
    assert recorded("member.changed")[-1][1]["is_active"] is True


def test_who_left_comes_back_with_the_new_role(here: Organization, member: Callable[..., Member]) -> None:
    owner, ada = member("owner"), member("admin", name="Ada")
    members.deactivate_member(principal=principal_of(owner), member_id=ada.pk)
    again = members.add_member(organization_id=here.pk, user_id=ada.user_id, role="guest", name="Ada L.")
    assert again == ada.pk
    assert (principal_of(ada).role, principal_of(ada).name) == ("guest", "Ada L.")


def test_the_own_profile(here: Organization, member: Callable[..., Member]) -> None:
    ada = member(name="Ada", title="Engineer")
    members.update_profile(principal=principal_of(ada), name="Ada L.", about="Notes")
    ada.refresh_from_db()
    assert (ada.name, ada.title, ada.about) == ("Ada L.", "Engineer", "Notes")
    members.update_profile(principal=principal_of(ada))
    assert len(recorded("member.changed")) == 1
    with pytest.raises(NameNotValid):
        members.update_profile(principal=principal_of(ada), title="x" * 81)


def test_a_picture_beside_the_name(here: Organization, member: Callable[..., Member]) -> None:
    ada, file_id = member(), uuid4()
    members.set_avatar(principal=principal_of(ada), file_id=file_id)
    assert principal_of(ada).avatar_file_id == file_id


def test_language_and_theme_belong_to_the_account(here: Organization, member: Callable[..., Member]) -> None:
    ada = member()
    members.update_preferences(user_id=ada.user_id, language="de", theme="dark")
    stored = User.objects.get(pk=ada.user_id)
    assert (stored.language, stored.theme, principal_of(ada).language) == ("de", "dark", "de")
    with pytest.raises(LanguageUnknown):
        members.update_preferences(user_id=ada.user_id, language="tlh")
    with pytest.raises(ThemeUnknown):
        members.update_preferences(user_id=ada.user_id, theme="pink")
    members.update_preferences(user_id=ada.user_id, language="")
    assert User.objects.get(pk=ada.user_id).language == ""


def test_a_key_may_give_roles_of_its_owner_only(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    admin, ada = member("admin"), member()
    by_key = principal_for_key(api_key(admin, scopes=["admin:write"]).secret)
    members.change_role(principal=by_key, member_id=ada.pk, role="moderator")
    assert principal_of(ada).role == "moderator"
    with pytest.raises(RoleAboveOwn):
        members.change_role(principal=by_key, member_id=ada.pk, role="owner")
    narrow = principal_for_key(api_key(admin, scopes=["chat:write"]).secret)
    with pytest.raises(PermissionMissing):
        members.change_role(principal=narrow, member_id=ada.pk, role="guest")

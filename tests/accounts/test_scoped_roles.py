"""Roles in single audiences: what they add there, nothing elsewhere, and who hands them out."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from apps.accounts.errors import (
    MemberNotFound,
    PermissionMissing,
    RoleAboveOwn,
    ScopedRoleEmpty,
    ScopedRoleNotFound,
    ScopedRoleTaken,
    ScopeNotFound,
)
from apps.accounts.models import Member, Organization, ScopedRole
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.services import access
from apps.accounts.services.members import deactivate_member
from apps.accounts.services.scoped_roles import give_scoped_role, take_scoped_role
from apps.accounts.types import InScope, Principal
from apps.chat.errors import NotTheAuthor
from apps.chat.selectors.conversations import may_manage, scope_of
from apps.chat.services import conversations, messages
from apps.core.models import AuditEntry
from tests.accounts.api import Api
from tests.factories.accounts import MemberFactory, OrganizationFactory, api_key, principal_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]


@pytest.fixture
def ben(member: Make) -> Member:
    return member("member", name="Ben")


@pytest.fixture
def owner(acting: Callable[..., Principal]) -> Principal:
    return acting("owner", name="Olga")


@pytest.fixture
def channels(here: Organization, owner: Principal, ben: Member) -> tuple[UUID, UUID]:
    return tuple(  # type: ignore[return-value]  # two
        conversations.create_channel(principal=owner, name=name, people=[ben.user_id]) for name in ("a", "b")
    )


def give(owner: Principal, ben: Member, channel: UUID, role: str = "moderator") -> UUID:
    return give_scoped_role(principal=owner, member_id=ben.pk, role=role, scope_id=scope_of(owner, channel))


def test_it_adds_rights_there_and_nowhere_else(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    there, elsewhere = channels
    sent = [
        messages.send_message(principal=owner, conversation_id=pk, body="x", client_key="k").id
        for pk in channels
    ]
    give(owner, ben, there)
    person = principal_of(ben)
    assert access.can(person, "message.moderate", InScope(scope_of(owner, there))).rule == "scoped_role"
    assert not access.can(person, "message.moderate", InScope(scope_of(owner, elsewhere)))
    assert not access.can(person, "message.moderate")
    assert access.may_somewhere(person, "message.moderate")
    assert (may_manage(person, there), may_manage(person, elsewhere)) == (True, False)
    messages.delete_message(principal=person, message_id=sent[0])
    with pytest.raises(NotTheAuthor):
        messages.delete_message(principal=person, message_id=sent[1])


def test_it_ends_at_once_when_taken_back(owner: Principal, ben: Member, channels: tuple[UUID, UUID]) -> None:
    given = give(owner, ben, channels[0])
    take_scoped_role(principal=owner, scoped_role_id=given)
    assert not may_manage(principal_of(ben), channels[0])
    assert AuditEntry.objects.filter(action__startswith="scoped_role.").count() == 2


def test_a_narrow_key_of_the_person_does_not_get_it(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    give(owner, ben, channels[0])
    place = InScope(scope_of(owner, channels[0]))
    narrow, wide = (api_key(ben, scopes=[scope]) for scope in ("files:write", "chat:write"))
    assert access.can(principal_for_key(wide.secret), "message.moderate", place)
    assert not access.can(principal_for_key(narrow.secret), "message.moderate", place)


def test_who_may_not_hand_out_is_refused_and_nothing_is_written(
    owner: Principal, ben: Member, member: Make, channels: tuple[UUID, UUID]
) -> None:
    with pytest.raises(PermissionMissing):
        give_scoped_role(
            principal=principal_of(ben),
            member_id=ben.pk,
            role="moderator",
            scope_id=scope_of(owner, channels[0]),
        )
    stranger = principal_of(member("guest"))
    with pytest.raises(ScopeNotFound):
        give_scoped_role(
            principal=stranger, member_id=ben.pk, role="moderator", scope_id=scope_of(owner, channels[0])
        )
    assert not ScopedRole.objects.exists()


def test_who_manages_one_place_hands_out_there_and_no_more_than_its_own(
    owner: Principal, ben: Member, member: Make, channels: tuple[UUID, UUID]
) -> None:
    from apps.accounts.services.roles import create_role

    create_role(principal=owner, key="host", name="Host", permissions=["member.manage", "message.moderate"])
    give(owner, ben, channels[0], role="host")
    host, cleo = principal_of(ben), member("member")
    here, elsewhere = (scope_of(owner, pk) for pk in channels)
    give_scoped_role(principal=host, member_id=cleo.pk, role="host", scope_id=here)
    with pytest.raises(RoleAboveOwn):  # manages conversations, too
        give_scoped_role(principal=host, member_id=cleo.pk, role="moderator", scope_id=here)
    with pytest.raises(PermissionMissing):
        give_scoped_role(principal=host, member_id=cleo.pk, role="host", scope_id=elsewhere)
    assert ScopedRole.objects.count() == 2


@pytest.mark.parametrize("role", ["guest", "member"])
def test_a_role_without_such_rights_is_refused(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID], role: str
) -> None:
    if role == "member":
        give(owner, ben, channels[0], role=role)  # removes documents there
        return
    with pytest.raises(ScopedRoleEmpty):
        give(owner, ben, channels[0], role=role)


def test_twice_and_strangers_are_refused(owner: Principal, ben: Member, channels: tuple[UUID, UUID]) -> None:
    give(owner, ben, channels[0])
    with pytest.raises(ScopedRoleTaken):
        give(owner, ben, channels[0])
    with pytest.raises(MemberNotFound):
        give(owner, MemberFactory(organization=OrganizationFactory()), channels[0])
    with pytest.raises(ScopedRoleNotFound):
        take_scoped_role(principal=principal_of(ben), scoped_role_id=ScopedRole.objects.get().pk)
    assert ScopedRole.objects.count() == 1


def test_it_ends_with_the_membership(owner: Principal, ben: Member, channels: tuple[UUID, UUID]) -> None:
    give(owner, ben, channels[0])
    deactivate_member(principal=owner, member_id=ben.pk)
    assert not ScopedRole.objects.exists()


def test_the_api_gives_lists_and_takes(
    owner: Principal, ben: Member, member: Make, channels: tuple[UUID, UUID]
) -> None:
    admin = Api.by_key(member("admin"))
    body = {"object": f"conversation:{channels[0]}", "member_id": str(ben.pk), "role": "moderator"}
    made = admin.post("access/scoped-roles/", body)
    assert made.status_code == 201
    listed = admin.get(f"access/scoped-roles/?object=conversation:{channels[0]}").json()["results"]
    assert [(row["name"], row["role"]) for row in listed] == [("Ben", "moderator")]
    outsider = Api.by_key(member("guest"))
    assert outsider.get(f"access/scoped-roles/?object=conversation:{channels[0]}").status_code == 404
    assert outsider.post("access/scoped-roles/", body).status_code == 404
    assert admin.client.delete(f"/api/v1/access/scoped-roles/{made.json()['id']}/").status_code == 204
    assert not ScopedRole.objects.exists()

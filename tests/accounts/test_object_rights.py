"""Exceptions: one right, one place, an end and a reason; decided by `can()` alone, kept in guardian's form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission, UserObjectPermissionBase

from apps.accounts.errors import (
    MemberNotFound,
    NameNotValid,
    ObjectRightNotFound,
    ObjectRightTaken,
    ObjectRightUnfit,
    PermissionMissing,
    RoleAboveOwn,
    ScopeNotFound,
)
from apps.accounts.models import Member, ObjectGrant, Organization, Scope
from apps.accounts.selectors.principals import acting_for, principal_for_key
from apps.accounts.services import access, explaining
from apps.accounts.services.members import deactivate_member
from apps.accounts.services.object_rights import give_object_right, take_object_right
from apps.accounts.services.roles import create_role
from apps.accounts.types import InScope, ObjectRef, Principal
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import conversations, messages
from apps.core.models import AuditEntry
from tests.accounts.api import Api
from tests.factories.accounts import AgentFactory, MemberFactory, OrganizationFactory, api_key, principal_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]
RIGHT = "message.moderate"


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


def give(owner: Principal, ben: Member, channel: UUID, **changes: Any) -> UUID:
    values = {
        "member_id": ben.pk, "permission": RIGHT, "reason": "stands in for Mia", "days": 7,
        "scope_id": scope_of(owner, channel),
    }  # fmt: skip
    return give_object_right(principal=owner, **values | changes)


def test_it_counts_there_until_its_end_and_nowhere_else(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    sent = messages.send_message(principal=owner, conversation_id=channels[0], body="x", client_key="k").id
    give(owner, ben, channels[0])
    person = principal_of(ben)
    there, elsewhere = (InScope(scope_of(owner, pk)) for pk in channels)
    assert access.can(person, RIGHT, there).rule == "object_right"
    assert access.may_somewhere(person, RIGHT)
    refused = (
        access.can(person, RIGHT, elsewhere),
        access.can(person, RIGHT),
        access.can(person, "conversation.manage_any", there),
    )
    assert not any(refused)
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
        assert not access.can(person, RIGHT, there)  # also for who was loaded before
        assert not access.may_somewhere(person, RIGHT)
    messages.delete_message(principal=person, message_id=sent)


def test_who_is_found_after_the_end_has_nothing(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    given = give(owner, ben, channels[0])
    ObjectGrant.objects.filter(pk=given).update(expires_at=timezone.now() - timedelta(hours=1))
    assert principal_of(ben).scoped == ()
    give(owner, ben, channels[0])  # what is over makes room
    assert ObjectGrant.objects.count() == 1


def test_explaining_names_it_and_the_trail_tells_of_it(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    given = give(owner, ben, channels[0])
    found = explaining.explain(
        principal=owner, person_id=ben.user_id, action=RIGHT, ref=ObjectRef("conversation", channels[0])
    )
    assert (found.decision.rule, found.is_allowed) == ("object_right", True)
    assert "given for this place and for a time" in found.reason
    take_object_right(principal=owner, object_right_id=given)
    assert not principal_of(ben).scoped
    actions = AuditEntry.objects.filter(action__startswith="object_right.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["object_right.given", "object_right.taken"]


def test_guardian_keeps_the_row_by_a_real_key_and_decides_nothing(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    give(owner, ben, channels[0])
    scope = Scope.objects.get(pk=scope_of(owner, channels[0]))
    assert issubclass(ObjectGrant, UserObjectPermissionBase)
    assert ObjectGrant.objects.get().content_object == scope
    assert not UserObjectPermission.objects.exists()
    assert not GroupObjectPermission.objects.exists()
    assert not [name for name in settings.AUTHENTICATION_BACKENDS if "guardian" in name]
    assert not ben.user.has_perm(f"accounts.{RIGHT}", scope)
    assert not hasattr(ben.user, "add_obj_perm")
    scope_id = scope.pk
    Scope.objects.filter(pk=scope_id).update(data_class="secret")
    assert not access.can(_limited(owner, ben), RIGHT, InScope(scope_id))


def _limited(owner: Principal, ben: Member) -> Principal:
    """Return Ben with a role that does not reach such data."""
    from apps.accounts.conditions import clean

    conditions = clean(data_classes=["public"])
    role_id = create_role(
        principal=owner, key="low", name="Low", permissions=["message.send"], conditions=conditions
    )
    Member.objects.filter(pk=ben.pk).update(role_id=role_id)
    return principal_of(ben)


def test_keys_and_agents_get_no_more_than_they_may(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    give(owner, ben, channels[0])
    place = InScope(scope_of(owner, channels[0]))
    narrow, wide = (api_key(ben, scopes=[scope]) for scope in ("files:write", "chat:write"))
    assert access.can(principal_for_key(wide.secret), RIGHT, place)
    assert not access.can(principal_for_key(narrow.secret), RIGHT, place)
    agent = AgentFactory(organization=ben.organization)
    seated = MemberFactory(organization=ben.organization, user=agent)
    assert not access.can(acting_for(agent_id=agent.pk, person=principal_of(ben)), RIGHT, place)
    give(owner, seated, channels[0])
    assert access.can(acting_for(agent_id=agent.pk, person=principal_of(ben)), RIGHT, place)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"permission": "member.manage"}, ObjectRightUnfit),
        ({"permission": "audit.read"}, ObjectRightUnfit),
        ({"days": 0}, ObjectRightUnfit),
        ({"days": 91}, ObjectRightUnfit),
        ({"reason": "  "}, NameNotValid),
        ({"scope_id": UUID(int=5)}, ScopeNotFound),
        ({"member_id": UUID(int=5)}, MemberNotFound),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    owner: Principal,
    ben: Member,
    channels: tuple[UUID, UUID],
    changes: dict[str, Any],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        give(owner, ben, channels[0], **changes)
    assert not ObjectGrant.objects.exists()


def test_who_may_not_hand_out_is_refused_and_nothing_is_written(
    owner: Principal, ben: Member, member: Make, channels: tuple[UUID, UUID]
) -> None:
    scope_id = scope_of(owner, channels[0])
    with pytest.raises(PermissionMissing):
        give(principal_of(ben), ben, channels[0])
    create_role(principal=owner, key="host", name="Host", permissions=["member.manage"])
    host = principal_of(member("host"))
    with pytest.raises(RoleAboveOwn):
        give(host, ben, channels[0], scope_id=scope_id)
    assert not ObjectGrant.objects.exists()


def test_twice_strangers_and_other_organizations_are_refused(
    owner: Principal, ben: Member, channels: tuple[UUID, UUID]
) -> None:
    given = give(owner, ben, channels[0])
    with pytest.raises(ObjectRightTaken):
        give(owner, ben, channels[0])
    with pytest.raises(MemberNotFound):
        give(owner, MemberFactory(organization=OrganizationFactory()), channels[0])
    with pytest.raises(PermissionMissing):
        take_object_right(principal=principal_of(ben), object_right_id=given)
    with pytest.raises(ObjectRightNotFound):
        take_object_right(principal=owner, object_right_id=UUID(int=5))
    assert ObjectGrant.objects.count() == 1


def test_it_ends_with_the_membership(owner: Principal, ben: Member, channels: tuple[UUID, UUID]) -> None:
    give(owner, ben, channels[0])
    deactivate_member(principal=owner, member_id=ben.pk)
    assert not ObjectGrant.objects.exists()


def test_the_api_gives_lists_and_takes(ben: Member, member: Make, channels: tuple[UUID, UUID]) -> None:
    admin, address = Api.by_key(member("admin")), "access/object-rights/"
    body = {
        "object": f"conversation:{channels[0]}", "member_id": str(ben.pk), "permission": RIGHT,
        "reason": "stands in", "days": 1,
    }  # fmt: skip
    outsider = Api.by_key(member("member"))
    assert outsider.post(address, body).status_code == 403
    assert outsider.get(f"{address}?object=conversation:{channels[0]}").status_code == 403
    assert not ObjectGrant.objects.exists()
    made = admin.post(address, body)
    assert made.status_code == 201
    listed = admin.get(f"{address}?object=conversation:{channels[0]}").json()["results"]
    assert [(row["name"], row["permission"], row["is_over"]) for row in listed] == [("Ben", RIGHT, False)]
    assert admin.client.delete(f"/api/v1/{address}{made.json()['id']}/").status_code == 204
    assert not ObjectGrant.objects.exists()


def test_the_console_gives_lists_and_takes(
    here: Organization, ben: Member, member: Make, channels: tuple[UUID, UUID]
) -> None:
    console, base = Api.by_cookie(member("admin")).client, f"/o/{here.slug}/console/roles/rights/"
    form = {
        "person": "Ben",
        "place": f"conversation:{channels[0]}",
        "permission": RIGHT,
        "days": "7",
        "reason": "",
    }
    refused = console.post(f"{base}new/", form)
    assert refused.status_code in (200, 422)
    assert not ObjectGrant.objects.exists()
    assert console.post(f"{base}new/", form | {"reason": "stands in for Mia"}).status_code == 302
    page = console.get(base).content.decode()
    assert "stands in for Mia" in page
    assert console.post(f"{base}{ObjectGrant.objects.get().pk}/end/").status_code == 302
    assert not ObjectGrant.objects.exists()

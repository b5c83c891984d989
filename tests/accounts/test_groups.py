"""Groups of people: who makes them, what comes with them, how they are mentioned."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from apps.accounts.errors import (
    GroupNameTaken,
    GroupNotFound,
    MemberNotFound,
    PermissionMissing,
    RoleAboveOwn,
)
from apps.accounts.models import Member, Organization, PeopleGroup, ScopedRole
from apps.accounts.selectors.groups import find_mentionable, list_groups, people_of_group
from apps.accounts.services import access, groups
from apps.accounts.services.members import deactivate_member
from apps.accounts.services.roles import create_role
from apps.accounts.services.scoped_roles import give_group_role, take_scoped_role
from apps.accounts.types import InScope, Principal
from apps.chat.models import Mention, Message
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import conversations, messages
from apps.core.models import AuditEntry, Event
from tests.accounts.api import Api
from tests.factories.accounts import principal_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]


@pytest.fixture
def owner(here: Organization, acting: Callable[..., Principal]) -> Principal:
    return acting("owner", name="Olga")


@pytest.fixture
def ben(member: Make) -> Member:
    return member("member", name="Ben")


@pytest.fixture
def team(here: Organization, owner: Principal, ben: Member) -> UUID:
    made = groups.create_group(principal=owner, name="Leitung")
    groups.add_people(principal=owner, group_id=made, people=[ben.user_id])
    return made


def test_who_manages_members_makes_groups(owner: Principal, ben: Member, team: UUID) -> None:
    with pytest.raises(PermissionMissing):
        groups.create_group(principal=principal_of(ben), name="Andere")
    with pytest.raises(GroupNameTaken):
        groups.create_group(principal=owner, name="leitung")
    assert [(row.name, row.members) for row in list_groups(owner)] == [("Leitung", 1)]
    assert [person.name for person in people_of_group(owner, team)] == ["Ben"]
    assert PeopleGroup.objects.count() == 1


def test_guests_know_no_groups(team: UUID, member: Make) -> None:
    guest = principal_of(member("guest"))
    assert list_groups(guest) == []
    assert find_mentionable(guest, "Lei", limit=5) == []
    with pytest.raises(GroupNotFound):
        people_of_group(guest, team)


def test_a_group_in_one_channel_gives_its_people_a_role_there(
    owner: Principal, ben: Member, team: UUID, member: Make
) -> None:
    channel = conversations.create_channel(principal=owner, name="a", people=[ben.user_id])
    scope = scope_of(owner, channel)
    given = give_group_role(principal=owner, group_id=team, role="moderator", scope_id=scope)
    assert access.can(principal_of(ben), "message.moderate", InScope(scope))
    assert not access.can(principal_of(ben), "message.moderate")
    late = member("member", name="Cem")
    groups.add_people(principal=owner, group_id=team, people=[late.user_id])
    assert access.can(principal_of(late), "message.moderate", InScope(scope))
    groups.remove_person(principal=owner, group_id=team, person_id=ben.user_id)
    assert not access.can(principal_of(ben), "message.moderate", InScope(scope))
    take_scoped_role(principal=owner, scoped_role_id=given)
    assert not access.can(principal_of(late), "message.moderate", InScope(scope))
    assert Event.objects.filter(stream_id=ben.pk, type="access.changed").exists()
    assert AuditEntry.objects.filter(action="scoped_role.given", object_type="people_group").count() == 1


def test_nobody_brings_people_into_a_group_that_may_do_more(
    owner: Principal, team: UUID, member: Make
) -> None:
    channel = conversations.create_channel(principal=owner, name="a")
    scope = scope_of(owner, channel)
    create_role(principal=owner, key="hr", name="HR", permissions=["member.manage", "message.send"])
    give_group_role(principal=owner, group_id=team, role="moderator", scope_id=scope)
    clerk, new = principal_of(member("hr")), member()
    with pytest.raises(RoleAboveOwn):
        groups.add_people(principal=clerk, group_id=team, people=[new.user_id])
    with pytest.raises(MemberNotFound):
        groups.add_people(principal=owner, group_id=team, people=[team])
    assert len(people_of_group(owner, team)) == 1


def test_deleting_a_group_takes_its_roles(owner: Principal, ben: Member, team: UUID) -> None:
    channel = conversations.create_channel(principal=owner, name="a", people=[ben.user_id])
    scope = scope_of(owner, channel)
    give_group_role(principal=owner, group_id=team, role="moderator", scope_id=scope)
    groups.delete_group(principal=owner, group_id=team)
    assert not ScopedRole.objects.exists()
    assert not access.can(principal_of(ben), "message.moderate", InScope(scope))


def test_who_leaves_the_organization_leaves_its_groups(owner: Principal, ben: Member, team: UUID) -> None:
    deactivate_member(principal=owner, member_id=ben.pk)
    assert people_of_group(owner, team) == []


def test_a_mentioned_group_means_its_people_in_the_conversation(
    owner: Principal, ben: Member, team: UUID, member: Make
) -> None:
    outside = member("member", name="Eve")
    groups.add_people(principal=owner, group_id=team, people=[outside.user_id])
    channel = conversations.create_channel(principal=owner, name="a", people=[ben.user_id])
    sent = messages.send_message(
        principal=owner, conversation_id=channel, body="@**Leitung** bitte", client_key="k"
    )
    row = Message.objects.get(pk=sent.id)
    assert f'data-group="{team}"' in row.html
    assert row.mentions == [ben.user_id]
    assert list(Mention.objects.values_list("principal_id", flat=True)) == [ben.user_id]
    groups.update_group(principal=owner, group_id=team, is_mentionable=False)
    messages.edit_message(principal=owner, message_id=sent.id, body="@**Leitung** bitte!")
    assert not Mention.objects.exists()


def test_groups_over_rest(owner: Principal, ben: Member) -> None:
    boss = Api.by_key(Member.objects.get(pk=owner.member_id))
    made = boss.post("groups/", {"name": "Leitung"})
    assert (made.status_code, made.json()["members"]) == (201, 0)
    here = f"groups/{made.json()['id']}/"
    assert boss.post(f"{here}members/", {"people": [str(ben.user_id)]}).status_code == 204
    assert [row["name"] for row in boss.get(f"{here}members/").json()["results"]] == ["Ben"]
    assert boss.patch(here, {"description": "Wer leitet"}).json()["description"] == "Wer leitet"
    small = Api.by_key(ben)
    assert small.post("groups/", {"name": "Andere"}).status_code == 403
    assert small.get("groups/").json()["results"][0]["name"] == "Leitung"
    assert boss.delete(f"{here}members/{ben.user_id}/").status_code == 204
    assert boss.delete(here).status_code == 204
    assert not PeopleGroup.objects.exists()

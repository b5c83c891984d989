"""Channels, direct and group conversations, and who is in them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.accounts.errors import PermissionMissing
from apps.chat.errors import (
    ConversationNotFound,
    NameInvalid,
    NameTaken,
    NotAChannel,
    NotAMember,
    PersonNotFound,
    TooManyPeople,
)
from apps.chat.models import Conversation
from apps.chat.selectors import conversations as selectors
from apps.chat.services import conversations, drafts, members, reading
from apps.core.models import Event
from tests.chat.world import World


def test_a_channel_has_its_creator_and_people_in_it(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "Betrieb Offshore", [ben])
    assert selectors.member_ids(conversation_id=channel) == [ada.id, ben.id]
    assert [row.name for row in selectors.list_conversations(ben)] == ["Betrieb Offshore"]
    types = list(Event.objects.filter(stream_id=channel).order_by("sequence").values_list("type", flat=True))
    assert types == ["conversation.created", "member.joined", "member.joined"]


@pytest.mark.parametrize("name", ["", "   ", "a" * 61, "#tag", "line\nbreak\x00"])
def test_a_channel_name_is_short_and_plain(world: World, name: str) -> None:
    with pytest.raises(NameInvalid):
        world.channel(world.person("Ada"), name)
    assert not Conversation.objects.exists()


def test_two_channels_do_not_share_a_name(world: World) -> None:
    ada = world.person("Ada")
    world.channel(ada, "Einkauf")
    with pytest.raises(NameTaken):
        world.channel(ada, "einkauf")
    assert Conversation.objects.count() == 1


def test_a_guest_creates_no_channel(world: World) -> None:
    with pytest.raises(PermissionMissing):
        world.channel(world.person("Gast", role="guest"), "neu")
    assert not Conversation.objects.exists()


def test_the_same_people_always_meet_in_the_same_conversation(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    first = conversations.open_direct(principal=ada, people=[ben.id])
    assert conversations.open_direct(principal=ben, people=[ada.id]) == first
    assert Conversation.objects.get().kind == "direct"


def test_several_people_make_a_group(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    group = conversations.open_direct(principal=ada, people=[ben.id, cem.id])
    assert selectors.get_conversation(ada, group).name == "Ben, Cem"
    with pytest.raises(NotAChannel):
        members.add_people(principal=ada, conversation_id=group, people=[world.person("Eve").id])


def test_a_group_has_a_limit_and_known_people_only(world: World) -> None:
    ada = world.person("Ada")
    with pytest.raises(PersonNotFound):
        conversations.open_direct(principal=ada, people=[uuid4()])
    crowd = [world.person(f"P{number}").id for number in range(21)]
    with pytest.raises(TooManyPeople):
        conversations.open_direct(principal=ada, people=crowd)
    assert not Conversation.objects.exists()


def test_a_private_channel_is_invisible_to_others_and_to_admins(world: World) -> None:
    ada, boss = world.person("Ada"), world.person("Boss", role="owner")
    secret = world.channel(ada, "geheim", is_private=True)
    assert selectors.list_channels(boss) == []
    with pytest.raises(ConversationNotFound):
        selectors.get_conversation(boss, secret)
    with pytest.raises(ConversationNotFound):
        members.join(principal=boss, conversation_id=secret)


def test_an_open_channel_is_visible_to_members_and_not_to_guests(world: World) -> None:
    ada, ben, guest = world.person("Ada"), world.person("Ben"), world.person("Gast", role="guest")
    channel = world.channel(ada, "allgemein")
    assert [row.is_member for row in selectors.list_channels(ben)] == [False]
    assert selectors.list_channels(guest) == []
    members.join(principal=ben, conversation_id=channel)
    members.join(principal=ben, conversation_id=channel)
    assert selectors.member_ids(conversation_id=channel) == [ada.id, ben.id]


def test_leaving_ends_the_seat_at_once(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    secret = world.channel(ada, "geheim", [ben], is_private=True)
    members.remove_person(principal=ben, conversation_id=secret, person_id=ben.id)
    with pytest.raises(ConversationNotFound):
        selectors.get_conversation(ben, secret)
    assert secret not in selectors.heads(ben)
    removed = Event.objects.filter(stream_id=ben.member_id, type="conversation.removed")
    assert removed.count() == 1


def test_a_member_cannot_remove_another_but_the_creator_can(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    channel = world.channel(ada, "allgemein", [ben, cem])
    with pytest.raises(PermissionMissing):
        members.remove_person(principal=ben, conversation_id=channel, person_id=cem.id)
    members.remove_person(principal=ada, conversation_id=channel, person_id=cem.id)
    assert selectors.member_ids(conversation_id=channel) == [ada.id, ben.id]


def test_coming_back_starts_a_new_membership_read_up_to_now(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    members.remove_person(principal=ben, conversation_id=channel, person_id=ben.id)
    world.say(ada, channel)
    members.join(principal=ben, conversation_id=channel)
    assert selectors.get_conversation(ben, channel).unread == 0


def test_members_set_the_description_and_managers_the_rest(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    conversations.update_conversation(principal=ben, conversation_id=channel, description="Turm 7")
    with pytest.raises(PermissionMissing):
        conversations.update_conversation(principal=ben, conversation_id=channel, name="neu")
    with pytest.raises(NotAMember):
        conversations.update_conversation(
            principal=world.person("Eve"), conversation_id=channel, description="x"
        )
    assert selectors.get_conversation(ada, channel).description == "Turm 7"


def test_making_a_channel_private_hides_it_from_those_without_a_seat(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve")
    channel = world.channel(ada, "allgemein")
    conversations.update_conversation(principal=ada, conversation_id=channel, is_private=True)
    with pytest.raises(ConversationNotFound):
        selectors.get_conversation(eve, channel)
    assert selectors.get_conversation(ada, channel).is_private


def test_unread_and_mentions_are_counts_of_rows(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    world.say(ada, channel, "one")
    second = world.say(ada, channel, "@ben two")
    world.say(ben, channel, "mine does not count")
    world.say(ada, channel, "three")
    row = selectors.get_conversation(ben, channel)
    assert (row.unread, row.mentions) == (3, 1)
    reading.move_marker(principal=ben, conversation_id=channel, sequence=second.sequence)
    row = selectors.get_conversation(ben, channel)
    assert (row.unread, row.mentions) == (1, 0)


def test_the_marker_moves_back_only_when_asked(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    first = world.say(ada, channel, "one")
    last = world.say(ada, channel, "two")
    reading.move_marker(principal=ben, conversation_id=channel, sequence=10**9)
    assert reading.move_marker(principal=ben, conversation_id=channel, sequence=1) == last.sequence
    assert reading.mark_unread_from(principal=ben, message_id=first.id) == first.sequence - 1
    assert selectors.get_conversation(ben, channel).unread == 2


def test_a_draft_is_kept_per_thread_and_goes_when_empty(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    root = world.say(ada, channel)
    drafts.save_draft(principal=ada, conversation_id=channel, body="half")
    drafts.save_draft(principal=ada, conversation_id=channel, body="a whole", thread=root.id)
    drafts.save_draft(principal=ada, conversation_id=channel, body="half a thought")
    kept = {
        thread: one.body for thread, one in drafts.drafts_of(principal=ada, conversation_id=channel).items()
    }
    assert kept == {None: "half a thought", root.id: "a whole"}
    assert selectors.get_conversation(ada, channel).has_draft
    drafts.save_draft(principal=ada, conversation_id=channel, body=" ")
    assert list(drafts.drafts_of(principal=ada, conversation_id=channel)) == [root.id]


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_two_queries(world: World, rows: int, django_assert_num_queries: object) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    for number in range(rows):
        world.say(ben, world.channel(ada, f"kanal {number}", [ben]))
    conversations.open_direct(principal=ada, people=[ben.id])
    with django_assert_num_queries(2):  # type: ignore[operator]  # conversations with counts; names of the people
        assert len(selectors.list_conversations(ada)) == rows + 1

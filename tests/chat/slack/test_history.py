"""The write path takes history: of who has no seat, at its time, told as what it is, and read by who had read all."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from apps.accounts.types import Principal
from apps.chat.errors import NotAMember
from apps.chat.models import Conversation, Membership, Mention, Message
from apps.chat.services.composing import person_ref
from apps.chat.services.messages import send_messages
from apps.chat.types import Draft, ReactionView, SentMessage
from apps.core.events import consumers
from tests.chat.test_selectors_messages import apply, snapshot
from tests.chat.world import World

AT = datetime(2020, 2, 3, 4, 5, 6, 7, tzinfo=UTC)


def of_before(sender: Principal, conversation: object, key: str = "old:1", **fields: object) -> Draft:
    return Draft(
        organization_id=sender.organization_id, conversation_id=conversation, sender=person_ref(sender),
        client_key=key, body="of before", html="<p>of before</p>\n", sent_at=AT, is_history=True, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def test_an_imported_message_and_its_event_equal_a_fresh_snapshot(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein")
    head = world.say(ada, channel, "first").sequence
    before = snapshot(ada, channel)
    reactions = (ReactionView("👍", (ada.id, ben.id)), ReactionView("🎉", (ben.id,)))
    (stored,) = send_messages([of_before(ben, channel, edited_at=AT, reactions=reactions)])
    assert isinstance(stored, SentMessage)
    events = list(consumers.history(stream_id=channel, after=head))
    assert [event["type"] for event in events] == ["message.imported"]
    apply(before, events[0])
    assert before == snapshot(ada, channel)
    assert Message.objects.get(pk=stored.id).sent_at == AT


def test_only_history_goes_without_a_seat(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein")
    (refused,) = send_messages([dataclasses.replace(of_before(ben, channel), is_history=False)])
    assert isinstance(refused, NotAMember)
    assert not Message.objects.exists()


def test_history_mentions_nobody_and_moves_only_the_markers_of_who_had_read_all(world: World) -> None:
    ada, ben, cleo = world.person("Ada"), world.person("Ben"), world.person("Cleo")
    channel = world.channel(ada, "allgemein", [ben, cleo])
    last = world.say(ada, channel, "read by Ben only")
    Membership.objects.filter(principal_id=ben.id).update(last_read_sequence=last.sequence)
    markers = dict(Membership.objects.values_list("principal_id", "last_read_sequence"))
    stored = send_messages(
        [of_before(ada, channel, mentions=(ben.id, cleo.id)), of_before(ada, channel, "old:2")]
    )
    head = max(one.sequence for one in stored if isinstance(one, SentMessage))
    assert not Mention.objects.exists()
    moved = dict(Membership.objects.values_list("principal_id", "last_read_sequence"))
    assert moved == {ada.id: head, ben.id: head, cleo.id: markers[cleo.id]}


def test_an_archived_channel_takes_history_and_nothing_new(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    Conversation.objects.filter(pk=channel).update(archived_at=AT)
    old, new = send_messages(
        [of_before(ada, channel), dataclasses.replace(of_before(ada, channel, "new"), is_history=False)]
    )
    assert isinstance(old, SentMessage)
    assert not isinstance(new, SentMessage)

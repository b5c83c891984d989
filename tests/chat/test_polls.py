"""Polls: counts are the rows', one votes once, nobody is shown in an anonymous one."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.types import Principal
from apps.chat import cards
from apps.chat.errors import MessageNotFound, NotAMember, NotEditable, NotTheAuthor, PollClosed, PollInvalid
from apps.chat.models import Message, Poll, PollVote
from apps.chat.selectors.messages import get_message
from apps.chat.services import erasing_kept, members, messages, polls
from apps.core.data_subjects import Person
from apps.core.models import Event
from tests.chat.test_api import caller_of
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def ben(world: World) -> Principal:
    return world.person("Ben")


@pytest.fixture
def channel(world: World, ada: Principal, ben: Principal) -> UUID:
    return world.channel(ada, "allgemein", [ben])


def ask(who: Principal, channel: UUID, **kind: bool) -> UUID:
    poll = polls.NewPoll(question="Lunch @Ben?", options=["Soup", "*Cake*", " "], **kind)
    return polls.create_poll(principal=who, conversation_id=channel, poll=poll, client_key="k").id


def counts(who: Principal, message_id: UUID) -> list[int]:
    card = get_message(who, message_id).card
    assert card is not None
    return [option["votes"] for option in card.data["options"]]


def test_a_vote_replaces_the_other_and_is_taken_back(ada: Principal, ben: Principal, channel: UUID) -> None:
    message = ask(ada, channel)
    assert ask(ada, channel) == message  # the same client key
    for option, expected in ((0, [1, 0]), (1, [0, 1]), (1, [0, 0])):
        polls.toggle(principal=ben, message_id=message, option=option)
        assert counts(ada, message) == expected
    polls.vote(principal=ada, message_id=message, options=[0])
    polls.vote(principal=ada, message_id=message, options=[0])
    assert (PollVote.objects.count(), Event.objects.filter(type="poll.changed").count()) == (1, 4)


def test_events_lead_from_one_card_to_the_next(ada: Principal, ben: Principal, channel: UUID) -> None:
    message = ask(ada, channel, is_multiple=True)
    polls.vote(principal=ben, message_id=message, options=[0, 1])
    polls.close_poll(principal=ada, message_id=message)
    last = Event.objects.filter(type="poll.changed").order_by("-sequence").first()
    stored = Message.objects.get(pk=message)
    assert last is not None
    assert (last.payload["card"], last.payload["version"]) == (stored.card, stored.version)


def test_a_big_poll_tells_counts_and_only_the_names_that_are_shown(
    world: World, ada: Principal, channel: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "MOST_NAMED", 2)
    people = [world.person(f"Voter {number}") for number in range(4)]
    members.add_people(principal=ada, conversation_id=channel, people=[one.id for one in people])
    message = ask(ada, channel, is_multiple=True)
    for person in people:
        polls.vote(principal=person, message_id=message, options=[1])
    polls.vote(principal=people[3], message_id=message, options=[0, 1])
    last = Event.objects.filter(type="poll.changed").latest("sequence")
    soup, cake = last.payload["card"]["data"]["options"]
    assert (soup["votes"], soup["people"]) == (1, [str(people[3].id)])
    assert (cake["votes"], cake["people"]) == (4, [str(one.id) for one in people[:2]])
    assert last.payload["card"]["data"]["people"] == 4
    assert last.payload["card"] == Message.objects.get(pk=message).card
    shown = cards.poll(people[3], last.payload["card"])["options"][1]
    assert (shown["is_mine"], shown["names"]) == (True, "Voter 0, Voter 1 and 2 more")


def test_the_text_calls_nobody_and_shows_the_answers_as_they_are(ada: Principal, channel: UUID) -> None:
    view = get_message(ada, ask(ada, channel))
    assert view.mentions == ()
    assert "*Cake*" in view.html
    with pytest.raises(NotEditable):
        messages.edit_message(principal=ada, message_id=view.id, body="other")


def test_an_anonymous_poll_names_nobody_anywhere(ada: Principal, ben: Principal, channel: UUID) -> None:
    message = ask(ada, channel, is_anonymous=True)
    polls.vote(principal=ben, message_id=message, options=[1])
    event = Event.objects.get(type="poll.changed")
    assert str(ben.id) not in str(event.payload)
    assert event.actor_id is None
    stored = Message.objects.get(pk=message)
    shown = cards.poll(ada, stored.card or {})
    assert [option["names"] for option in shown["options"]] == ["", ""]
    assert cards.poll(ben, stored.card or {})["options"][1]["is_mine"]


@pytest.mark.parametrize(
    "options", [[], ["one"], ["same", "Same"], ["x"] * 21, ["x" * 201, "y"], ["a\x00", "b"]]
)
def test_a_poll_that_makes_no_sense_is_refused(ada: Principal, channel: UUID, options: list[str]) -> None:
    poll = polls.NewPoll(question="q", options=options)
    with pytest.raises(PollInvalid):
        polls.create_poll(principal=ada, conversation_id=channel, poll=poll, client_key="k")
    assert not Message.objects.exists()


def test_what_nobody_may_vote_is_refused(world: World, ada: Principal, ben: Principal, channel: UUID) -> None:
    message, eve = ask(ada, channel), world.person("Eve")
    secret = ask(ada, world.channel(ada, "geheim", is_private=True))
    for who, where, options, error in (
        (ben, message, [7], PollInvalid),
        (ben, message, [0, 1], PollInvalid),
        (eve, message, [0], NotAMember),
        (eve, secret, [0], MessageNotFound),
    ):
        with pytest.raises(error):
            polls.vote(principal=who, message_id=where, options=options)
    with pytest.raises(NotTheAuthor):
        polls.close_poll(principal=ben, message_id=message)
    polls.close_poll(principal=ada, message_id=message)
    with pytest.raises(PollClosed):
        polls.vote(principal=ben, message_id=message, options=[0])
    assert not PollVote.objects.exists()


def test_erasing_a_person_takes_its_votes_out_of_the_counts(
    ada: Principal, ben: Principal, channel: UUID
) -> None:
    message = ask(ada, channel)
    for who in (ada, ben):
        polls.vote(principal=who, message_id=message, options=[0])
    person = Person(
        organization_id=ben.organization_id, id=ben.id, member_id=ben.member_id, name=ben.name, email="",
        placeholder_id=ada.id, placeholder_member_id=ada.member_id, leaves_for_good=False,
    )  # fmt: skip
    erasing_kept.erase_votes_of(person, None)
    assert counts(ada, message) == [1, 0]
    payloads = Event.objects.filter(stream_id=channel).values_list("payload", flat=True)
    assert not [one for one in payloads if str(ben.id) in str(one.get("card"))]
    assert Poll.objects.count() == 1


def test_the_api_asks_votes_and_closes(ada: Principal, channel: UUID) -> None:
    client, kind = caller_of(ada), "application/json"
    body = {"question": "q", "options": ["a", "b"], "client_key": "k"}
    made = client.post(f"/api/v1/conversations/{channel}/polls/", body, kind)
    assert made.status_code == 201
    address = f"/api/v1/messages/{made.json()['id']}/"
    assert client.put(f"{address}votes/", {"options": [1]}, kind).status_code == 204
    assert client.post(f"{address}close-poll/").status_code == 204
    assert client.put(f"{address}votes/", {"options": [0]}, kind).json()["code"] == "chat.poll_closed"
    assert client.get(address).json()["card"]["data"]["people"] == 1

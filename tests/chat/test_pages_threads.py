"""The panel of a thread: all of its replies can be reached, however many there are."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from lxml import html

from apps.chat.models import Message
from apps.chat.selectors.own import own_counts
from apps.chat.selectors.threads import inbox
from apps.chat.services import messages, pins, reactions
from apps.chat.services import threads as following
from apps.chat.types import SentMessage
from apps.chat.views import reading
from apps.core.models import Event
from tests.chat.test_pages import FRAGMENT, Reader
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Reader:
    return Reader(world.person("Ada"))


@pytest.fixture
def ben(world: World) -> Reader:
    return Reader(world.person("Ben"))


@pytest.fixture
def channel(world: World, ada: Reader, ben: Reader) -> UUID:
    return world.channel(ada.person, "betrieb", [ben.person])


@pytest.fixture
def root(world: World, ada: Reader, channel: UUID) -> SentMessage:
    return world.say(ada.person, channel, "Wer fährt?")


@pytest.fixture
def replies(
    world: World, ada: Reader, channel: UUID, root: SentMessage, monkeypatch: pytest.MonkeyPatch
) -> list[SentMessage]:
    """Nine of them, where a panel shows five, or two before and three from one on."""
    monkeypatch.setattr(reading, "BEFORE", 2)
    monkeypatch.setattr(reading, "AFTER", 3)
    return [world.say(ada.person, channel, f"Antwort {number}", thread=root.id) for number in range(1, 10)]


def panel(reader: Reader, address: str) -> html.HtmlElement:
    return reader.page(address).get_element_by_id("panel")


def texts(part: html.HtmlElement) -> list[str]:
    return [text.text_content().strip() for text in part.find_class("message__text")]


def more(part: html.HtmlElement) -> dict[str, str]:
    return {link.get("data-more"): link.get("href") for link in part.find_class("stream__more")}


def numbered(first: int, last: int) -> list[str]:
    return [f"Antwort {number}" for number in range(first, last + 1)]


def test_the_newest_replies_are_shown_with_the_number_of_all(
    ada: Reader, channel: UUID, root: SentMessage, replies: list[SentMessage]
) -> None:
    shown = panel(ada, ada.url("thread", conversation_id=channel, message_id=root.id))
    assert texts(shown) == ["Wer fährt?", *numbered(5, 9)]
    assert shown.find_class("divider")[0].text_content() == "9 replies"
    assert list(more(shown)) == ["older"]


def test_older_replies_follow_until_the_first(
    ada: Reader, channel: UUID, root: SentMessage, replies: list[SentMessage]
) -> None:
    shown = panel(ada, ada.url("thread", conversation_id=channel, message_id=root.id))
    found: list[str] = []
    while address := more(shown).get("older"):
        shown = html.fromstring(ada.client.get(address).content.decode())
        found = texts(shown) + found
    assert found == numbered(1, 4)


def test_a_reply_has_its_own_address_among_its_neighbours(
    ada: Reader, channel: UUID, replies: list[SentMessage]
) -> None:
    address = ada.url("message", conversation_id=channel, message_id=replies[3].id)
    shown = panel(ada, address)
    assert texts(shown)[1:] == numbered(2, 6)
    assert [one.get("data-target") for one in shown.find_class("stream")] == [str(replies[3].id)]
    assert set(more(shown)) == {"older", "newer"}
    assert "data-newest" not in shown.find_class("stream")[0].attrib
    newer = html.fromstring(ada.client.get(more(shown)["newer"]).content.decode())
    assert texts(newer) == numbered(7, 9)
    assert not more(newer)


def test_replies_of_another_thread_or_a_strange_one_are_not_shown(
    world: World, ada: Reader, channel: UUID, replies: list[SentMessage], root: SentMessage
) -> None:
    other = world.say(ada.person, channel, "Etwas anderes")
    window = ada.url("window", conversation_id=channel)
    assert ada.client.get(f"{window}?thread={other.id}&before={replies[3].id}").status_code == 404
    for named in (uuid4(), "x"):
        assert ada.client.get(f"{window}?thread={named}").status_code == 404
    eve = Reader(world.person("Eve"))
    secret = world.channel(ada.person, "geheim", is_private=True)
    hidden = world.say(ada.person, secret, "Nur wir")
    world.say(ada.person, secret, "Antwort", thread=hidden.id)
    for address in (
        f"{eve.url('window', conversation_id=secret)}?thread={hidden.id}",
        f"{eve.url('window', conversation_id=channel)}?thread={hidden.id}",
    ):
        assert eve.client.get(address).status_code == 404


def test_a_deleted_reply_does_not_count(
    ada: Reader, channel: UUID, root: SentMessage, replies: list[SentMessage]
) -> None:
    messages.delete_message(principal=ada.person, message_id=replies[8].id)
    shown = panel(ada, ada.url("thread", conversation_id=channel, message_id=root.id))
    assert shown.find_class("divider")[0].text_content() == "8 replies"


def test_replies_stay_below_a_message_that_is_gone(
    world: World, ada: Reader, ben: Reader, root: SentMessage, replies: list[SentMessage]
) -> None:
    channel = root.conversation_id
    messages.delete_message(principal=ada.person, message_id=replies[8].id)
    assert Event.objects.get(type="message.deleted").payload["thread"] == str(root.id)
    messages.delete_message(principal=ada.person, message_id=root.id)
    page = ben.client.get(ben.url("conversation", conversation_id=channel)).content.decode()
    (gone,) = html.fromstring(page).xpath(f"//article[@data-message='{root.id}']")
    assert "This message was deleted." in gone.text_content()
    (link,) = gone.find_class("thread-link")
    assert "8 replies" in link.text_content()
    shown = panel(ben, link.get("href"))
    assert shown.find_class("divider")[0].text_content() == "8 replies"
    alone = world.say(ada.person, channel, "Ohne Antwort")
    messages.delete_message(principal=ada.person, message_id=alone.id)
    page = ben.client.get(ben.url("conversation", conversation_id=channel)).content.decode()
    (gone,) = html.fromstring(page).xpath(f"//article[@data-message='{alone.id}']")
    assert not gone.find_class("thread-link")


def test_imported_history_is_new_neither_in_the_badge_nor_in_the_inbox(
    world: World, ada: Reader, ben: Reader, channel: UUID, root: SentMessage
) -> None:
    following.set_followed(principal=ada.person, message_id=root.id, is_followed=True)
    reply = world.say(ben.person, channel, "Ich", thread=root.id)
    assert own_counts(ada.person, drafts=0).threads == len(inbox(ada.person, only_unread=True)) == 1
    Message.objects.filter(pk=reply.id).update(is_history=True)
    assert own_counts(ada.person, drafts=0).threads == len(inbox(ada.person, only_unread=True)) == 0


def test_who_reacted_is_said_by_name(
    world: World, ada: Reader, ben: Reader, channel: UUID, root: SentMessage
) -> None:
    for person, emoji in ((ada.person, "👍"), (ben.person, "👍"), (ben.person, "🎉")):
        reactions.add_reaction(principal=person, message_id=root.id, emoji=emoji)
    address = ada.url("reacted", conversation_id=channel, message_id=root.id)
    told = ada.client.get(address, headers={"Accept": "application/json"})
    assert told.json() == {"👍": ["Ada", "Ben"], "🎉": ["Ben"]}
    shown = html.fromstring(ada.client.get(address, headers=FRAGMENT).content.decode())
    assert [head.text_content() for head in shown.iter("h3")] == ["👍 2 people, 👍", "🎉 1 person, 🎉"]
    guest = Reader(world.person("Gast", role="guest"))
    assert guest.client.get(address, headers={"Accept": "application/json"}).status_code == 404


def test_a_wrong_link_leaves_the_pins_on_the_page(
    world: World, ada: Reader, channel: UUID, root: SentMessage
) -> None:
    pins.set_pinned(principal=ada.person, message_id=root.id, is_pinned=True)
    answer = ada.client.post(
        ada.url("add_bookmark", conversation_id=channel), {"url": "ftp://x", "title": ""}, headers=FRAGMENT
    )
    assert answer.status_code == 422
    assert texts(html.fromstring(answer.content.decode())) == ["Wer fährt?"]

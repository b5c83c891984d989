"""Pages that the API keeps: equal to fresh ones after whatever happens, decided for each reader, few statements."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Member, Role
from apps.accounts.services.scopes import add_seats, remove_seat
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Conversation, LinkPreview, Message, MessagePreview
from apps.chat.selectors import kept_pages
from apps.chat.selectors.kept_pages import page_as_json, pages
from apps.chat.selectors.pages import Anchor, Window, message_page
from apps.chat.services import members, messages, previews, reactions, reading
from tests.chat.test_devices import MoreActs
from tests.chat.test_read_state import Scene
from tests.chat.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    pages.clear()
    yield
    pages.clear()


def window_of(channel: UUID, **options: Any) -> Window:
    return Window(conversation=channel, **{"anchor": "newest", "before": 50, "after": 0} | options)


def ask(who: Principal, window: Window) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(page_as_json(principal=who, window=window))
    return answer


def fresh(who: Principal, window: Window) -> dict[str, Any]:
    """What a page is when nothing is kept anywhere, in the words of the API."""
    page = message_page(
        principal=who, conversation_id=window.conversation, anchor=window.anchor, before=window.before,
        after=window.after, thread=window.thread, topic=window.topic,
    )  # fmt: skip
    shown = dataclasses.asdict(page)
    del shown["anchor"]
    answer: dict[str, Any] = orjson.loads(orjson.dumps(shown))
    return answer


def keep(who: Principal, window: Window) -> dict[str, Any]:
    ask(who, window)
    return ask(who, window)


def statements(who: Principal, window: Window) -> int:
    with CaptureQueriesContext(connection) as asked:
        page_as_json(principal=who, window=window)
    return len(asked)


def bodies(answer: dict[str, Any]) -> list[str]:
    return [message["body"] for message in answer["messages"]]


def test_the_third_page_takes_one_statement_and_says_the_same(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    for number in range(3):
        sent = world.say(ada, channel, str(number))
    reading.move_marker(principal=ada, conversation_id=channel, sequence=sent.sequence)
    window = window_of(channel)
    assert statements(ada, window) == 4
    assert statements(ada, window) == 4
    assert statements(ada, window) == 1
    assert ask(ada, window) == fresh(ada, window)
    assert bodies(ask(ada, window)) == ["0", "1", "2"]


def test_what_is_unread_is_each_readers_own(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    sent = [world.say(ada, channel, str(number)) for number in range(4)]
    window = window_of(channel)
    keep(ada, window)
    assert ask(ada, window)["first_unread"] is None
    assert statements(ben, window) == 2
    assert ask(ben, window)["first_unread"] == str(sent[0].id)
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent[2].sequence)
    assert ask(ben, window) == fresh(ben, window)
    assert ask(ben, window)["first_unread"] == str(sent[3].id)


def test_a_page_at_the_first_unread_message_turns_where_the_reader_is(world: World) -> None:
    ada, ben, cem = world.person("Ada"), world.person("Ben"), world.person("Cem")
    channel = world.channel(ada, "allgemein", [ben, cem])
    sent = [world.say(ada, channel, str(number)) for number in range(8)]
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent[1].sequence)
    reading.move_marker(principal=cem, conversation_id=channel, sequence=sent[5].sequence)
    window = window_of(channel, anchor="first_unread", before=1, after=1)
    for _ in range(2):
        assert [bodies(keep(who, window)) for who in (ben, cem, ada)] == [["1", "2"], ["5", "6"], ["7"]]


def test_a_page_is_whole_again_after_each_thing_that_happens(world: World) -> None:
    """Whatever people do by chance: what was kept is what is there, in both channels and around all anchors."""
    scene, chance = Scene(world), random.Random(7)
    other = world.channel(scene.mod, "technik", [scene.ada, scene.ben])
    acts = MoreActs(scene, chance, [scene.channel, other])
    anchors: list[Anchor] = ["newest", "oldest", "first_unread"]
    windows = [
        window_of(channel, anchor=anchor, after=2) for channel in (scene.channel, other) for anchor in anchors
    ]
    hits = 0
    for _ in range(60):
        for window in windows:
            keep(scene.ada, window)
        acts.act()
        for window in windows:
            hits += statements(scene.ben, window) <= 2
            assert ask(scene.ben, window) == fresh(scene.ben, window)
    assert hits > 60  # what did not change stayed


@pytest.mark.parametrize("change", ["name", "role", "title", "deactivated_at", "avatar_file_id"])
def test_what_a_sender_is_called_now_is_shown(world: World, change: str) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    world.say(ben, channel, "moin")
    window = window_of(channel)
    keep(ada, window)
    assert statements(ada, window) == 2  # one of them asks for what is unread
    row = Member.objects.get(pk=ben.member_id)
    new = {
        "name": "Benedikt", "title": "Wartung", "deactivated_at": timezone.now(), "avatar_file_id": row.pk,
        "role": Role.objects.get(key="guest"),
    }[change]  # fmt: skip
    Member.objects.filter(pk=row.pk).update(**{change: new})
    assert ask(ada, window) == fresh(ada, window)


def test_a_preview_that_came_late_is_there(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    sent = world.say(ada, channel, "https://example.org/karte")
    window = window_of(channel)
    keep(ada, window)
    page = LinkPreview.objects.create(
        organization_id=ada.organization_id, url="https://example.org/karte", url_hash="0" * 64, state="ready",
        title="Karte",
    )  # fmt: skip
    MessagePreview.objects.create(
        organization_id=ada.organization_id, message_id=sent.id, preview=page, position=0
    )
    with transaction.atomic():
        previews._tell(Message.objects.get(pk=sent.id))
    assert ask(ada, window)["messages"][0]["previews"][0]["title"] == "Karte"
    keep(ada, window)
    previews.hide_preview(principal=ada, message_id=sent.id, preview_id=page.pk)
    assert ask(ada, window)["messages"][0]["previews"] == []


def test_nobody_gets_a_page_that_another_may_read(world: World) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    secret = world.channel(ada, "geheim", [ben], is_private=True)
    world.say(ada, secret, "der Preis")
    window = window_of(secret)
    keep(ada, window)
    assert bodies(ask(ben, window)) == ["der Preis"]
    with pytest.raises(ConversationNotFound):
        page_as_json(principal=eve, window=window)
    members.remove_person(principal=ben, conversation_id=secret, person_id=ben.id)
    with pytest.raises(ConversationNotFound):
        page_as_json(principal=ben, window=window)
    bound = dataclasses.replace(ada, scopes=frozenset())
    with pytest.raises(ConversationNotFound):
        page_as_json(principal=bound, window=window)


def test_who_came_later_gets_only_what_was_said_since(world: World) -> None:
    ada, late = world.person("Ada"), world.person("Late", role="guest")
    channel = world.channel(ada, "geheim", is_private=True)
    world.say(ada, channel, "before")
    window = window_of(channel)
    keep(ada, window)
    scope = Conversation.objects.get(pk=channel).scope_id
    add_seats(scope_id=scope, principals=[late.id], visible_from=timezone.now())
    world.say(ada, channel, "since")
    keep(ada, window)
    assert bodies(keep(late, window)) == ["since"]
    assert bodies(keep(ada, window)) == ["before", "since"]  # and the other way round
    assert bodies(keep(late, window)) == ["since"]
    remove_seat(scope_id=scope, principal_id=late.id)
    with pytest.raises(ConversationNotFound):
        page_as_json(principal=late, window=window)


def test_what_a_transaction_took_back_was_never_kept(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    sent = world.say(ada, channel, "so")
    window = window_of(channel)
    with transaction.atomic():
        messages.edit_message(principal=ada, message_id=sent.id, body="anders")
        assert bodies(keep(ada, window)) == ["anders"]
        transaction.set_rollback(True)
    messages.edit_message(principal=ada, message_id=sent.id, body="doch")
    assert bodies(keep(ada, window)) == ["doch"]


def test_another_page_with_the_same_senders_costs_no_more_than_its_own(world: World) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    root = world.say(ada, channel, "so")
    world.say(ada, channel, "Antwort", thread=root.id)
    whole, thread = window_of(channel), window_of(channel, thread=root.id)
    assert bodies(keep(ada, whole)) == ["so"]
    assert bodies(keep(ada, thread)) == ["Antwort"]
    assert bodies(keep(ada, whole)) == ["so"]
    reactions.add_reaction(principal=ada, message_id=root.id, emoji="👍")
    assert ask(ada, whole)["messages"][0]["reactions"][0]["emoji"] == "👍"


def test_pages_go_when_there_are_too_many_or_they_are_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.person("Ada")
    channel = world.channel(ada, "allgemein")
    for number in range(20):
        sent = world.say(ada, channel, "x" * 1000 + str(number))
    reading.move_marker(principal=ada, conversation_id=channel, sequence=sent.sequence)
    first = window_of(channel, before=1)
    keep(ada, first)
    assert statements(ada, first) == 1
    monkeypatch.setattr(kept_pages, "MOST_BYTES", 30_000)
    for before in range(2, 10):
        keep(ada, window_of(channel, before=before))
    assert pages._bytes <= 30_000
    assert statements(ada, first) == 4
    keep(ada, first)
    begun = time.monotonic()
    monkeypatch.setattr(
        "apps.chat.selectors.kept_pages.time.monotonic", lambda: begun + kept_pages.MOST_SECONDS + 5
    )
    assert statements(ada, first) == 4

"""What was counted before: the same as counted anew after whatever happens, and only where nothing happened."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.types import Principal
from apps.chat.selectors import conversations, kept_counts, unread
from apps.chat.selectors.kept_counts import Count, counts
from apps.chat.services import erasing, messages, reading
from apps.chat.services.checking import recount
from tests.chat.test_devices import MoreActs
from tests.chat.test_read_state import Scene
from tests.chat.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _all_is_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kept_counts, "LEAST", 0)
    counts.clear()
    yield
    counts.clear()


def shown(who: Principal) -> dict[UUID, tuple[int, int, int]]:
    """Return what the list says, after checking that the totals and each conversation alone say the same."""
    listed = conversations.list_conversations(who)
    assert unread.totals(who) == unread.Totals(
        sum(row.counted for row in listed), sum(row.mentions for row in listed)
    )
    for row in listed:
        assert conversations.get_conversation(who, row.id) == row
        alone = unread.counts_in(
            organization_id=who.organization_id, principal_id=who.id, conversation_id=row.id
        )
        assert alone is not None
        assert (alone.unread, alone.counted, alone.mentions) == (row.unread, row.counted, row.mentions)
    return {row.id: (row.unread, row.counted, row.mentions) for row in listed}


def exact(who: Principal) -> dict[UUID, tuple[int, int, int]]:
    return recount(organization_id=who.organization_id, principal_id=who.id)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_shown_equals_a_recount_after_anything_that_happens(world: World, seed: int) -> None:
    scene, chance = Scene(world), random.Random(seed)
    other = world.channel(scene.mod, "technik", [scene.ada, scene.ben])
    acts = MoreActs(scene, chance, [scene.channel, other])
    known = 0
    for _ in range(60):
        acts.act()
        for who in (scene.ada, scene.ben):
            known += len(counts.of(who.id))
            assert shown(who) == exact(who)
    assert known > 120


def test_what_is_erased_does_not_wait_any_more(world: World) -> None:
    scene = Scene(world)
    sent = [world.say(scene.ada, scene.channel, str(number)).id for number in range(4)]
    assert shown(scene.ben)[scene.channel][0] == 4
    with transaction.atomic():
        erasing.erase_messages(organization_id=scene.ben.organization_id, message_ids=sent[:2])
    assert shown(scene.ben) == exact(scene.ben)
    assert shown(scene.ben)[scene.channel][0] == 2


def test_what_a_transaction_took_back_was_never_kept(world: World) -> None:
    scene = Scene(world)
    sent = world.say(scene.ada, scene.channel, "so")
    with transaction.atomic():
        messages.delete_message(principal=scene.ada, message_id=sent.id)
        assert shown(scene.ben)[scene.channel][0] == 0
        transaction.set_rollback(True)
    world.say(scene.ada, scene.channel, "und so")
    assert shown(scene.ben) == exact(scene.ben)
    assert shown(scene.ben)[scene.channel][0] == 2


def test_each_reader_has_its_own_and_a_marker_that_goes_back_counts_again(world: World) -> None:
    scene = Scene(world)
    for number in range(5):
        last = world.say(scene.ada, scene.channel, str(number))
    for who, at in ((scene.ben, last.sequence - 1), (scene.mod, 0)):
        shown(who)
        reading.move_marker(principal=who, conversation_id=scene.channel, sequence=at)
    assert [shown(who)[scene.channel][0] for who in (scene.ben, scene.mod, scene.ada)] == [1, 5, 0]
    reading.mark_unread_from(principal=scene.ben, message_id=last.id)
    assert shown(scene.ben) == exact(scene.ben)


def test_what_is_known_is_not_counted_and_what_does_not_fit_is(world: World) -> None:
    """A wrong number tells where one was taken: only at the marker and the head that it belongs to."""
    scene = Scene(world)
    last = world.say(scene.ada, scene.channel, "so")
    row = conversations.get_conversation(scene.ben, scene.channel)
    counts.clear()

    def say(marker: int, head: int) -> int:
        counts.clear()
        counts.keep(scene.ben.id, {scene.channel: Count(marker, head, 77)})
        return conversations.get_conversation(scene.ben, scene.channel).unread

    assert say(row.last_read_sequence, row.last_sequence) == 77
    assert say(row.last_read_sequence, row.last_sequence - 1) == 1
    assert say(row.last_read_sequence - 1, row.last_sequence) == 1
    reading.move_marker(
        principal=scene.ben, conversation_id=scene.channel, sequence=last.sequence, place=scene.channel
    )
    assert say(row.last_read_sequence, row.last_sequence) == 0


def test_few_are_not_kept_and_who_was_counted_longest_ago_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [UUID(int=number) for number in range(6)]
    monkeypatch.setattr(kept_counts, "LEAST", 3)
    monkeypatch.setattr(kept_counts, "MOST", 4)
    one, two, three = ids[:3]
    kept_counts.keep(one, [(ids[3], 1, 9, 3), (ids[4], 1, 9, 2), (ids[5], 1, 9, None)])
    assert dict(counts.of(one)) == {ids[3]: Count(1, 9, 3)}
    kept_counts.keep(two, [(pk, 1, 9, 3) for pk in ids[3:5]])
    kept_counts.keep(one, [(ids[3], 2, 9, 4)])
    kept_counts.keep(three, [(pk, 1, 9, 3) for pk in ids[3:5]])
    assert [len(counts.of(who)) for who in (one, two, three)] == [1, 0, 2]


def test_counting_costs_one_statement_with_and_without_what_is_known(world: World) -> None:
    scene = Scene(world)
    world.say(scene.ada, scene.channel, "so")
    ways: list[Any] = [lambda: unread.totals(scene.ben), lambda: conversations.list_conversations(scene.ben)]
    for way in ways * 2:
        with CaptureQueriesContext(connection) as asked:
            way()
        assert len(asked) <= 2

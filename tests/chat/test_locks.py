"""Changes that meet: whoever changes a message and whoever moves it take stream and message in one order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.chat.errors import TopicNotFound
from apps.chat.models import Message, Report, TopicPreference
from apps.chat.services import (
    deleted,
    erasing,
    messages,
    moderation,
    moving,
    notifying,
    pins,
    reactions,
    reading,
    scheduling,
    topics,
)
from apps.chat.types import Card, ReportReason
from apps.core import tenancy
from apps.core.events import log
from apps.notify.models import Notification
from apps.notify.services import noticing
from tests.chat.test_topics import Scene
from tests.chat.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
PATIENCE_SECONDS = 10
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def _until_somebody_waits() -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    waiting = 0
    while not waiting:
        assert time.monotonic() < until
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            (waiting,) = cursor.fetchone()


def _hide(scene: Scene, _message: Any) -> None:
    moderation.hide(principal=scene.mod, report_id=Report.objects.values_list("pk", flat=True).get())


def _erase(scene: Scene, message: Any) -> None:
    with transaction.atomic():
        erasing.erase_messages(organization_id=scene.ada.organization_id, message_ids=[message])


def _end_files(scene: Scene, message: Any) -> None:
    row = Message.objects.get(pk=message)
    with transaction.atomic():
        erasing.end_files(
            organization_id=row.organization_id, rows=[(row.pk, row.conversation_id, row.scope_id)]
        )


def _change_card(scene: Scene, message: Any) -> None:
    card = Card("test.card", "1", {})
    messages.change_card(
        organization_id=scene.ada.organization_id, message_id=message, card=card, body="card"
    )


def _restore(scene: Scene, message: Any) -> None:
    deleted.restore_message(principal=scene.ada, message_id=message)


CHANGES: dict[str, Callable[[Scene, Any], object]] = {
    "edit": lambda scene, pk: messages.edit_message(principal=scene.ada, message_id=pk, body="other"),
    "delete": lambda scene, pk: messages.delete_message(principal=scene.ada, message_id=pk),
    "react": lambda scene, pk: reactions.add_reaction(principal=scene.ben, message_id=pk, emoji="👍"),
    "pin": lambda scene, pk: pins.set_pinned(principal=scene.ben, message_id=pk, is_pinned=True),
    "card": _change_card,
    "hide": _hide,
    "erase": _erase,
    "files": _end_files,
    "restore": _restore,
}


def _build(change: str) -> tuple[World, Scene, Any, Any]:
    world = make_world()
    with tenancy.use(world.organization.pk):
        scene = Scene(world)
        other = world.channel(scene.mod, "technik")
        message = scene.say(scene.ada, "Wind")
        moderation.report_message(principal=scene.ben, message_id=message, reason=ReportReason.SPAM)
        if change == "restore":
            messages.delete_message(principal=scene.ada, message_id=message)
    return world, scene, message, other


def _meet(
    monkeypatch: pytest.MonkeyPatch, world: World, first: Callable[[], object], second: Callable[[], object]
) -> None:
    """Do one thing until it tells its event; go on once the other waits for it."""
    reached, goes_on = threading.Event(), threading.Event()

    def slowly(record: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def wait(told: Any) -> Any:
            if threading.current_thread().name.startswith("first"):
                reached.set()
                assert goes_on.wait(PATIENCE_SECONDS)
            return record(told)

        return wait

    def run(work: Callable[[], object]) -> None:
        try:
            with tenancy.use(world.organization.pk):
                work()
        finally:
            connections.close_all()

    for name in ("record", "record_many"):
        monkeypatch.setattr(log, name, slowly(getattr(log, name)))
    with ThreadPoolExecutor(1, "first") as one, ThreadPoolExecutor(1, "second") as another:
        doing = one.submit(run, first)
        assert reached.wait(PATIENCE_SECONDS)
        also = another.submit(run, second)
        _until_somebody_waits()
        goes_on.set()
        doing.result(PATIENCE_SECONDS)
        also.result(PATIENCE_SECONDS)


@pytest.mark.parametrize(("change", "to_another"), [("edit", False), *((change, True) for change in CHANGES)])
def test_a_message_is_changed_while_it_is_moved(
    monkeypatch: pytest.MonkeyPatch, change: str, *, to_another: bool
) -> None:
    world, scene, message, other = _build(change)
    place = other if to_another else None
    _meet(
        monkeypatch,
        world,
        lambda: CHANGES[change](scene, message),
        lambda: moving.move_messages(
            principal=scene.mod, message_id=message, topic="Sturm", conversation_id=place
        ),
    )
    with tenancy.use(world.organization.pk):
        assert Message.objects.values_list("topic__name", flat=True).get(pk=message) == "Sturm"


def test_a_topic_goes_while_somebody_mutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world, scene, message, _ = _build("mute")
    with tenancy.use(world.organization.pk):
        topic = scene.topic("Wind")
    _meet(
        monkeypatch,
        world,
        lambda: topics.set_level(principal=scene.ben, topic_id=topic, level="muted"),
        lambda: moving.move_messages(principal=scene.mod, message_id=message, topic="Sturm"),
    )
    with tenancy.use(world.organization.pk):
        assert not TopicPreference.objects.exists()


def test_somebody_mutes_a_topic_that_just_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    world, scene, message, _ = _build("mute")
    with tenancy.use(world.organization.pk):
        topic = scene.topic("Wind")

    def mute() -> None:
        with pytest.raises(TopicNotFound):
            topics.set_level(principal=scene.ben, topic_id=topic, level="muted")

    _meet(
        monkeypatch,
        world,
        lambda: moving.move_messages(principal=scene.mod, message_id=message, topic="Sturm"),
        mute,
    )
    with tenancy.use(world.organization.pk):
        assert not TopicPreference.objects.exists()


@pytest.mark.parametrize("comes_first", ["rename", "send"])
def test_a_planned_message_is_sent_while_its_topic_is_renamed(
    monkeypatch: pytest.MonkeyPatch, comes_first: str
) -> None:
    world, scene, message, _ = _build("rename")
    with tenancy.use(world.organization.pk):
        topic = scene.topic("Wind")
        planned = scheduling.schedule_message(
            principal=scene.ada, conversation_id=scene.channel, body="x", topic="Wind",
            send_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip
    works: dict[str, Callable[[], object]] = {
        "rename": lambda: topics.rename_topic(principal=scene.mod, topic_id=topic, name="Brise"),
        "send": lambda: scheduling.send_scheduled_now(principal=scene.ada, scheduled_id=planned),
    }
    first = works.pop(comes_first)
    _meet(monkeypatch, world, first, *works.values())
    with tenancy.use(world.organization.pk):
        assert set(Message.objects.values_list("topic__name", flat=True)) == {"Brise"}
        assert Message.objects.exclude(pk=message).count() == 1


def test_a_conversation_is_read_while_its_notification_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is opened asks for both: the rows of notifications are locked before the stream of their person."""
    world, scene, _message, _ = _build("read")
    with tenancy.use(world.organization.pk):
        sent = world.say(scene.ada, scene.channel, body="@**Ben** kommst du?")
        notifying.tell_of(sent.id)
        assert Notification.objects.filter(read_at=None, message_id=sent.id).exists()
    _meet(
        monkeypatch,
        world,
        lambda: noticing.mark(scene.ben, notifications=None, state="seen"),
        lambda: reading.move_marker(
            principal=scene.ben, conversation_id=scene.channel, sequence=sent.sequence
        ),
    )
    with tenancy.use(world.organization.pk):
        assert not Notification.objects.filter(read_at=None, message_id=sent.id).exists()

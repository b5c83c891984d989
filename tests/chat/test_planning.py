"""Messages that are sent at their time, reminders, and the lists of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone, translation

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.chat.errors import (
    ConversationNotFound,
    EmptyMessage,
    MassMentionUnconfirmed,
    MessageNotFound,
    NoteTooLong,
    ReminderNotFound,
    ScheduledNotFound,
    TimeNotPossible,
)
from apps.chat.models import Draft, Message, Reminder, ScheduledMessage
from apps.chat.selectors import planning
from apps.chat.selectors.own import own_counts
from apps.chat.services import conversations, drafts, members, reminders, scheduling
from apps.core.models import Event
from tests.chat.test_api import caller_of
from tests.chat.world import World
from tests.walls import everywhere

NOON = datetime(2030, 3, 4, 12, tzinfo=UTC)  # a Monday


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def ben(world: World) -> Principal:
    return world.person("Ben")


@pytest.fixture
def channel(world: World, ada: Principal, ben: Principal) -> UUID:
    return world.channel(ada, "allgemein", [ben])


def later(hours: float = 1) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def make_due(seconds: float = 1) -> None:
    past = timezone.now() - timedelta(seconds=seconds)
    ScheduledMessage.objects.update(send_at=past)
    Reminder.objects.update(due_at=past)


def turn(duty: Callable[[], int]) -> int:
    """Let the relay look."""
    with everywhere():
        return duty()


def test_a_message_is_sent_at_its_time_and_once(ada: Principal, channel: UUID) -> None:
    pk = scheduling.schedule_message(
        principal=ada,
        conversation_id=channel,
        body="good **morning**",
        send_at=later(),
        priority="important",
    )
    assert turn(scheduling.send_due) == 0
    make_due()
    assert turn(scheduling.send_due) == 1
    message = Message.objects.get()
    assert (message.body, message.priority) == ("good **morning**", "important")
    assert message.client_key == f"scheduled:{pk}"
    ScheduledMessage.objects.update(
        state="waiting"
    )  # as if the process had died before it noted that it was sent
    assert turn(scheduling.send_due) == 1
    assert Message.objects.count() == 1
    (view,) = planning.scheduled_of(ada)
    assert (view.state, view.message) == ("sent", message.pk)
    told = Event.objects.filter(stream_id=ada.member_id, type="schedule.changed").order_by("sequence")
    assert [row.payload["state"] for row in told] == ["waiting", "sent", "sent"]


def test_a_failure_stays_visible_with_its_reason_and_can_be_tried_again(
    ada: Principal, channel: UUID
) -> None:
    pk = scheduling.schedule_message(principal=ada, conversation_id=channel, body="x", send_at=later())
    conversations.update_conversation(principal=ada, conversation_id=channel, is_archived=True)
    make_due()
    turn(scheduling.send_due)
    assert not Message.objects.exists()
    assert own_counts(ada, drafts=0).failed == 1
    with translation.override("de"):
        (view,) = planning.scheduled_of(ada)
    assert (view.state, view.failure_code) == ("failed", "chat.conversation_archived")
    assert "archiviert" in view.failure
    conversations.update_conversation(principal=ada, conversation_id=channel, is_archived=False)
    scheduling.send_scheduled_now(principal=ada, scheduled_id=pk)
    assert (Message.objects.get().body, own_counts(ada, drafts=0).failed) == ("x", 0)


def test_after_a_downtime_what_is_older_than_a_day_fails_and_the_rest_is_sent(
    ada: Principal, channel: UUID
) -> None:
    for body, hours in (("old", 25), ("young", 23)):
        pk = scheduling.schedule_message(principal=ada, conversation_id=channel, body=body, send_at=later())
        ScheduledMessage.objects.filter(pk=pk).update(send_at=later(-hours))
    turn(scheduling.send_due)
    assert list(Message.objects.values_list("body", flat=True)) == ["young"]
    assert ScheduledMessage.objects.get(body="old").failure_code == "chat.schedule_missed"


@pytest.mark.parametrize(
    ("body", "hours", "error"),
    [("", 1, EmptyMessage), ("x", -1, TimeNotPossible), ("x", 9000, TimeNotPossible)],
)
def test_what_cannot_be_sent_is_refused_when_it_is_planned(
    ada: Principal, channel: UUID, body: str, hours: float, error: type[Exception]
) -> None:
    with pytest.raises(error):
        scheduling.schedule_message(principal=ada, conversation_id=channel, body=body, send_at=later(hours))
    assert not ScheduledMessage.objects.exists()


def test_nobody_plans_where_it_is_not_and_changes_what_is_not_its_own(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    secret = world.channel(ada, "geheim", is_private=True)
    with pytest.raises(ConversationNotFound):
        scheduling.schedule_message(principal=ben, conversation_id=secret, body="x", send_at=later())
    pk = scheduling.schedule_message(principal=ada, conversation_id=channel, body="x", send_at=later())
    for act in (scheduling.send_scheduled_now, scheduling.cancel_scheduled, scheduling.change_scheduled):
        with pytest.raises(ScheduledNotFound):
            act(principal=ben, scheduled_id=pk)
    scheduling.change_scheduled(principal=ada, scheduled_id=pk, body="y", send_at=later(2))
    assert ScheduledMessage.objects.get().body == "y"
    scheduling.cancel_scheduled(principal=ada, scheduled_id=pk)
    assert not ScheduledMessage.objects.exists()
    assert not Message.objects.exists()


def test_a_mass_mention_is_confirmed_when_it_is_planned(world: World, ada: Principal) -> None:
    big = world.channel(ada, "gross", [world.person(name) for name in "BCDEF"])
    with pytest.raises(MassMentionUnconfirmed):
        scheduling.schedule_message(principal=ada, conversation_id=big, body="@all x", send_at=later())
    scheduling.schedule_message(
        principal=ada, conversation_id=big, body="@all x", send_at=later(), confirm_mass_mention=True
    )
    make_due()
    turn(scheduling.send_due)
    assert Message.objects.count() == 1


def test_who_left_the_organization_sends_nothing_and_is_reminded_of_nothing(
    ada: Principal, channel: UUID
) -> None:
    scheduling.schedule_message(principal=ada, conversation_id=channel, body="x", send_at=later())
    reminders.remind(principal=ada, due_at=later(), note="n")
    Member.objects.filter(pk=ada.member_id).update(deactivated_at=timezone.now())
    make_due()
    turn(scheduling.send_due)
    turn(reminders.remind_due)
    assert not Message.objects.exists()
    assert (ScheduledMessage.objects.count(), Reminder.objects.count()) == (0, 0)


def test_a_reminder_comes_once_and_stays_until_it_is_done(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    sent = world.say(ben, channel, "look")
    pk = reminders.remind(principal=ada, message_id=sent.id, due_at=later(), note="look again")
    make_due()
    assert [turn(reminders.remind_due) for _ in range(2)] == [1, 0]
    due = Event.objects.get(type="reminder.due")
    assert (due.stream_id, due.payload["message_id"]) == (ada.member_id, str(sent.id))
    assert due.payload["note"] == "look again"
    (view,) = planning.reminders_of(ada)
    assert view.message is not None
    assert (view.is_waiting, view.message.body, own_counts(ada, drafts=0).reminders) == (False, "look", 1)
    reminders.change_reminder(principal=ada, reminder_id=pk, due_at=later())
    assert own_counts(ada, drafts=0).reminders == 0
    make_due()
    turn(reminders.remind_due)
    reminders.finish(principal=ada, reminder_id=pk)
    assert planning.reminders_of(ada) == []


def test_a_reminder_of_a_message_one_lost_keeps_its_note_only(
    world: World, ada: Principal, ben: Principal
) -> None:
    secret = world.channel(ben, "geheim", [ada], is_private=True)
    sent = world.say(ben, secret, "secret")
    reminders.remind(principal=ada, message_id=sent.id, due_at=later(), note="n")
    with pytest.raises(MessageNotFound):
        reminders.remind(principal=world.person("Eve"), message_id=sent.id, due_at=later())
    members.remove_person(principal=ben, conversation_id=secret, person_id=ada.id)
    make_due()
    turn(reminders.remind_due)
    payload = Event.objects.get(type="reminder.due").payload
    assert (payload["message_id"], payload["conversation"], payload["note"]) == (None, None, "n")
    assert planning.reminders_of(ada)[0].message is None


def test_a_note_that_is_too_long_is_refused_and_not_cut(world: World, ada: Principal) -> None:
    with pytest.raises(NoteTooLong):
        reminders.remind(principal=ada, due_at=later(), note="x" * 501)
    assert planning.reminders_of(ada) == []
    pk = reminders.remind(principal=ada, due_at=later(), note="x" * 500)
    with pytest.raises(NoteTooLong):
        reminders.change_reminder(principal=ada, reminder_id=pk, note="y" * 501)
    assert planning.reminders_of(ada)[0].note == "x" * 500


@pytest.mark.parametrize(
    ("repeat", "after", "expected"),
    [
        ("", NOON, None),
        ("daily", NOON, datetime(2030, 3, 5, 12, tzinfo=UTC)),
        ("weekdays", datetime(2030, 3, 8, 12, tzinfo=UTC), datetime(2030, 3, 11, 12, tzinfo=UTC)),
        ("weekly", datetime(2030, 3, 20, tzinfo=UTC), datetime(2030, 3, 25, 12, tzinfo=UTC)),
        (
            "monthly",
            NOON,
            datetime(2030, 4, 4, 11, tzinfo=UTC),
        ),  # the clocks went forward: the same local time
    ],
)
def test_repetitions_follow_the_local_clock(repeat: str, after: datetime, expected: datetime | None) -> None:
    assert reminders.next_time(NOON, repeat, zone="Europe/Berlin", after=after) == expected


def test_of_many_missed_repetitions_one_comes_and_the_next_is_ahead(ada: Principal) -> None:
    pk = reminders.remind(principal=ada, due_at=later(), note="daily", repeat="daily")
    missed = timezone.now() - timedelta(days=3, hours=1)
    Reminder.objects.update(due_at=missed)
    assert [turn(reminders.remind_due) for _ in range(2)] == [1, 0]
    reminders.finish(principal=ada, reminder_id=pk)
    row = Reminder.objects.get()
    assert (row.due_at, row.is_waiting, row.fired_at) == (missed + timedelta(days=4), True, None)
    with pytest.raises(ReminderNotFound):
        reminders.delete_reminder(principal=ada, reminder_id=ada.id)


def test_drafts_are_listed_on_every_device(
    world: World, ada: Principal, ben: Principal, channel: UUID
) -> None:
    root = world.say(ben, channel)
    drafts.save_draft(principal=ada, conversation_id=channel, body="half")
    drafts.save_draft(principal=ada, conversation_id=channel, body="reply", thread=root.id)
    assert [(one.body, one.thread) for one in planning.drafts_of(ada)] == [("reply", root.id), ("half", None)]
    assert planning.drafts_of(ben) == []
    assert [one["body"] for one in caller_of(ada).get("/api/v1/drafts/").json()["results"]] == [
        "reply",
        "half",
    ]
    assert Draft.objects.count() == 2


def test_the_api_plans_changes_and_sends(ada: Principal, channel: UUID) -> None:
    client, kind = caller_of(ada), "application/json"
    body = {"conversation": str(channel), "body": "x", "send_at": later().isoformat()}
    made = client.post("/api/v1/scheduled/", body, kind).json()
    address = f"/api/v1/scheduled/{made['id']}/"
    assert client.patch(address, {"body": "y"}, kind).json()["body"] == "y"
    assert [one["state"] for one in client.get("/api/v1/scheduled/").json()["results"]] == ["waiting"]
    assert client.post(f"{address}send/").json()["state"] == "sent"
    assert client.delete(address).json()["code"] == "chat.scheduled_not_found"


def test_the_api_reminds(world: World, ada: Principal, channel: UUID) -> None:
    client, kind = caller_of(ada), "application/json"
    body = {"message": str(world.say(ada, channel).id), "due_at": later().isoformat()}
    made = client.post("/api/v1/reminders/", body, kind).json()
    address = f"/api/v1/reminders/{made['id']}/"
    assert client.patch(address, {"note": "n", "repeat": "weekly"}, kind).json()["repeat"] == "weekly"
    assert [one["note"] for one in client.get("/api/v1/reminders/").json()["results"]] == ["n"]
    assert client.post(f"{address}done/").status_code == 204
    assert client.delete(address).status_code == 204

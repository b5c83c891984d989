"""Retention: rules end messages by their age, the preview says which, and a legal hold is stronger."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.chat.errors import (
    ConversationNotFound,
    NotRestorable,
    RetentionDaysInvalid,
    RetentionRuleNotFound,
)
from apps.chat.models import DeletedMessage, Message, RetentionRule
from apps.chat.selectors import messages
from apps.chat.selectors import retention as rules
from apps.chat.services import deleted, pins, retention
from apps.chat.services import saved as saving
from apps.chat.services.messages import delete_message
from apps.core.models import Event
from apps.rag.models import Chunk
from apps.runs.models import Run
from apps.security.services import holds
from tests.chat.world import World
from tests.rag.library import index_message


@pytest.fixture
def scene(world: World):
    """Two channels, each with a message of today, one of 40 days and one of 400 days ago."""
    admin, ada = world.person("Admin", role="admin"), world.person("Ada")
    places = {name: world.channel(ada, name) for name in ("news", "lunch")}
    for name, channel in places.items():
        for age in (400, 40, 0):
            sent = world.say(ada, channel, f"{name} {age}")
            moment = timezone.now() - dt.timedelta(days=age)
            Message.objects.filter(pk=sent.id).update(sent_at=moment)
    return world, admin, ada, places


def left() -> list[str]:
    rows = Message.objects.filter(deleted_at=None).order_by("conversation__name", "sequence")
    return list(rows.values_list("body", flat=True))


def end_all(organization_id) -> tuple[int, bool]:
    return retention.end_old_messages(organization_id=organization_id, beat=lambda _: None)


def test_a_preview_counts_what_the_rule_then_deletes(scene) -> None:
    world, admin, _, places = scene
    shown = rules.preview(admin, conversation_id=None, days=30)
    assert (shown.messages, shown.conversations, shown.held) == (4, 2, 0)
    assert shown.oldest is not None
    assert (timezone.now() - shown.oldest).days == 400
    assert rules.preview(admin, conversation_id=places["news"], days=100).messages == 1
    assert rules.preview(admin, conversation_id=places["news"], days=None).messages == 0
    assert len(left()) == 6  # looking deletes nothing
    retention.set_rule(principal=admin, conversation_id=None, days=30)
    assert end_all(world.organization.pk) == (4, False)
    assert left() == ["lunch 0", "news 0"]
    assert end_all(world.organization.pk) == (0, False)


def test_a_channel_follows_its_own_rule(scene) -> None:
    world, admin, _, places = scene
    retention.set_rule(principal=admin, conversation_id=None, days=100)
    own = retention.set_rule(principal=admin, conversation_id=places["news"], days=None)
    retention.set_rule(principal=admin, conversation_id=places["lunch"], days=30)
    end_all(world.organization.pk)
    assert left() == ["lunch 0", "news 400", "news 40", "news 0"]
    retention.remove_rule(principal=admin, rule_id=own)
    end_all(world.organization.pk)
    assert left() == ["lunch 0", "news 40", "news 0"]


def test_what_ends_leaves_an_empty_place_the_log_and_the_index(scene) -> None:
    world, admin, ada, places = scene
    old = Message.objects.get(body="news 400")
    index_message(world.organization.pk, places["news"], old.pk)
    retention.set_rule(principal=admin, conversation_id=places["news"], days=100)
    end_all(world.organization.pk)
    shown = messages.get_message(ada, old.pk)
    assert (shown.body, shown.html, shown.sequence) == ("", "", old.sequence)
    told = Event.objects.get(type="message.erased")
    assert (told.stream_id, told.payload["message_ids"]) == (places["news"], [str(old.pk)])
    assert not Chunk.objects.filter(body__contains="news 400").exists()
    assert "news 400" not in str(list(Event.objects.values_list("payload", flat=True)))


@pytest.mark.parametrize("what", ["person", "conversation"])
def test_a_hold_is_stronger_than_a_rule(scene, what: str) -> None:
    world, admin, ada, places = scene
    target = (
        {"subject_id": ada.id}
        if what == "person"
        else {"target_kind": "conversation", "target_id": places["news"]}
    )
    hold = holds.place_hold(principal=admin, reason="court", **target)
    retention.set_rule(principal=admin, conversation_id=places["news"], days=30)
    shown = rules.preview(admin, conversation_id=places["news"], days=30)
    assert (shown.messages, shown.held) == (0, 2)
    end_all(world.organization.pk)
    assert len(left()) == 6
    holds.release_hold(principal=admin, hold_id=hold)
    end_all(world.organization.pk)
    assert len(left()) == 4


def test_one_run_is_started_where_something_is_due(scene) -> None:
    world, admin, _, _ = scene
    retention.set_rule(principal=admin, conversation_id=None, days=1000)
    assert retention._start(world.organization.pk) is False
    retention.set_rule(principal=admin, conversation_id=None, days=30)
    assert retention._start(world.organization.pk) is True
    assert retention._start(world.organization.pk) is False
    assert Run.objects.get().kind == "chat.retention"


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_impossible_days_are_refused(scene, days: int) -> None:
    _, admin, _, _ = scene
    with pytest.raises(RetentionDaysInvalid):
        retention.set_rule(principal=admin, conversation_id=None, days=days)
    assert not RetentionRule.objects.exists()


def test_who_does_not_manage_privacy_sees_and_sets_nothing(scene) -> None:
    world, admin, ada, places = scene
    rule = retention.set_rule(principal=admin, conversation_id=None, days=500)
    for refused in (
        lambda: retention.set_rule(principal=ada, conversation_id=None, days=1),
        lambda: retention.remove_rule(principal=ada, rule_id=rule),
        lambda: rules.list_rules(ada),
        lambda: rules.preview(ada, conversation_id=None, days=1),
    ):
        with pytest.raises(PermissionMissing):
            refused()
    with pytest.raises(ConversationNotFound):
        retention.set_rule(principal=admin, conversation_id=world.organization.pk, days=1)
    with pytest.raises(RetentionRuleNotFound):
        retention.remove_rule(principal=admin, rule_id=places["news"])
    assert [view.days for view in rules.list_rules(admin)] == [500]


def test_what_is_pinned_or_saved_can_stay(scene) -> None:
    world, admin, ada, places = scene
    pinned, saved = (Message.objects.get(body=body) for body in ("news 400", "lunch 400"))
    pins.set_pinned(principal=ada, message_id=pinned.pk, is_pinned=True)
    saving.set_saved(principal=ada, message_id=saved.pk, is_saved=True)
    shown = rules.preview(admin, conversation_id=None, days=30, keeps_marked=True)
    assert shown.messages == 2
    retention.set_rule(principal=admin, conversation_id=None, days=30, keeps_marked=True)
    end_all(world.organization.pk)
    assert left() == ["lunch 400", "lunch 0", "news 400", "news 0"]
    retention.set_rule(principal=admin, conversation_id=places["news"], days=30)
    end_all(world.organization.pk)
    assert left() == ["lunch 400", "lunch 0", "news 0"]


def test_a_hold_keeps_what_somebody_deletes_until_it_is_released(scene) -> None:
    _, admin, ada, places = scene
    gone = Message.objects.get(body="news 0")
    hold = holds.place_hold(
        principal=admin, reason="court", target_kind="conversation", target_id=places["news"]
    )
    delete_message(principal=ada, message_id=gone.pk)
    DeletedMessage.objects.update(purge_at=timezone.now() - dt.timedelta(hours=1))
    assert deleted.purge_due() == 0
    assert DeletedMessage.objects.get().body == "news 0"
    with pytest.raises(NotRestorable):  # the window is over, whatever the hold keeps
        deleted.restore_message(principal=ada, message_id=gone.pk)
    holds.release_hold(principal=admin, hold_id=hold)
    assert deleted.purge_due() == 1
    assert not DeletedMessage.objects.exists()

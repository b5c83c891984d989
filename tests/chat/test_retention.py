"""Retention: rules end messages by their age, the preview says which, and a legal hold is stronger."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.chat import actions
from apps.chat.errors import (
    ConversationNotFound,
    NotRestorable,
    RetentionDaysInvalid,
    RetentionRuleNotFound,
)
from apps.chat.models import Attachment, DeletedMessage, Message, RetentionRule
from apps.chat.selectors import messages
from apps.chat.selectors import retention as rules
from apps.chat.services import deleted, pins, retention
from apps.chat.services import saved as saving
from apps.chat.services.members import join
from apps.chat.services.messages import delete_message
from apps.core.events import consumers
from apps.core.models import AuditEntry, Event, Stream
from apps.files.selectors.files import can_open
from apps.files.services import access as file_access
from apps.rag.models import Chunk
from apps.runs.models import Run
from apps.security.services import holds
from tests.chat.test_api import caller_of
from tests.chat.test_pages import Reader
from tests.chat.test_selectors_messages import apply, snapshot
from tests.chat.world import World
from tests.factories.files import upload
from tests.factories.runs import work_off
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


@pytest.fixture
def filed(scene):
    """Each message of the scene has a file, uploaded by who wrote it."""
    world, _, ada, _ = scene
    member = Member.objects.get(user_id=ada.id)
    for message in Message.objects.order_by("sequence"):
        file = upload(member, f"{message.body}.txt", message.body.encode())
        Attachment.objects.create(
            organization_id=world.organization.pk, message_id=message.pk, file_id=file.id, position=0
        )
        file_access.attach(file_id=file.id, scope_id=message.scope_id)
    return scene


def end_files(organization_id) -> tuple[int, bool]:
    return retention.end_old_files(organization_id=organization_id, beat=lambda _: None)


def files_left() -> list[str]:
    return sorted(Attachment.objects.values_list("file__name", flat=True))


def test_files_end_before_their_messages_which_say_so(filed) -> None:
    world, admin, ada, places = filed
    shown = rules.preview(admin, conversation_id=None, days=100, file_days=30)
    assert (shown.messages, shown.files, shown.held_files, shown.deletes) == (2, 4, 0, True)
    only = rules.preview(admin, conversation_id=places["news"], days=None, file_days=30)
    assert (only.messages, only.conversations, only.files, only.deletes) == (0, 0, 2, True)
    retention.set_rule(principal=admin, conversation_id=places["news"], days=None, file_days=30)
    assert end_all(world.organization.pk) == (0, False)
    before = snapshot(ada, places["news"])
    head = Stream.objects.get(pk=places["news"]).last_sequence
    assert end_files(world.organization.pk) == (2, False)
    assert files_left() == ["lunch 0.txt", "lunch 40.txt", "lunch 400.txt", "news 0.txt"]
    assert len(left()) == 6
    old = messages.get_message(ada, Message.objects.get(body="news 400").pk)
    assert (old.body, old.attachments) == ("news 400", ())
    assert old.files_ended_at is not None
    for event in consumers.history(stream_id=places["news"], after=head):
        apply(before, event)
    assert before == snapshot(ada, places["news"])
    assert end_files(world.organization.pk) == (0, False)


def test_files_that_ended_cannot_be_opened_and_their_names_leave_the_log(filed) -> None:
    world, admin, _, places = filed
    ben = world.person("Ben")
    join(principal=ben, conversation_id=places["news"])
    sent = world.say(
        ben, places["news"], "mine", attachments=(upload(Member.objects.get(user_id=ben.id), "plan.txt").id,)
    )
    Message.objects.filter(pk=sent.id).update(sent_at=timezone.now() - dt.timedelta(days=50))
    file_id = Attachment.objects.get(message_id=sent.id).file_id
    reader = world.person("Rita")
    join(principal=reader, conversation_id=places["news"])
    assert can_open(reader, file_id)
    retention.set_rule(principal=admin, conversation_id=places["news"], days=None, file_days=30)
    end_files(world.organization.pk)
    assert not can_open(reader, file_id)
    logged = str(list(Event.objects.filter(stream_id=places["news"]).values_list("payload", flat=True)))
    assert "plan.txt" not in logged
    assert "'mine'" in logged


def test_a_file_that_a_younger_message_carries_stays_open_there(filed) -> None:
    world, admin, ada, _ = filed
    old, young = (Message.objects.get(body=body) for body in ("news 400", "news 0"))
    file_id = Attachment.objects.get(message_id=old.pk).file_id
    Attachment.objects.create(
        organization_id=world.organization.pk, message_id=young.pk, file_id=file_id, position=1
    )
    retention.set_rule(principal=admin, conversation_id=None, days=None, file_days=30)
    end_files(world.organization.pk)
    assert can_open(ada, file_id)
    assert files_left().count("news 400.txt") == 1


@pytest.mark.parametrize("what", ["person", "conversation"])
def test_a_hold_is_stronger_than_the_age_of_files(filed, what: str) -> None:
    world, admin, ada, places = filed
    target = (
        {"subject_id": ada.id}
        if what == "person"
        else {"target_kind": "conversation", "target_id": places["news"]}
    )
    hold = holds.place_hold(principal=admin, reason="court", **target)
    retention.set_rule(principal=admin, conversation_id=places["news"], days=None, file_days=30)
    shown = rules.preview(admin, conversation_id=places["news"], days=None, file_days=30)
    assert (shown.files, shown.held_files) == (0, 2)
    assert retention._start(world.organization.pk) is False
    end_files(world.organization.pk)
    assert len(files_left()) == 6
    holds.release_hold(principal=admin, hold_id=hold)
    assert retention._start(world.organization.pk) is True
    work_off()
    assert len(files_left()) == 4


def test_a_channel_follows_its_own_age_of_files_and_what_is_marked_can_stay(filed) -> None:
    world, admin, ada, places = filed
    retention.set_rule(principal=admin, conversation_id=None, days=None, file_days=30, keeps_marked=True)
    retention.set_rule(principal=admin, conversation_id=places["lunch"], days=None)
    pins.set_pinned(principal=ada, message_id=Message.objects.get(body="news 400").pk, is_pinned=True)
    end_files(world.organization.pk)
    assert files_left() == ["lunch 0.txt", "lunch 40.txt", "lunch 400.txt", "news 0.txt", "news 400.txt"]


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_impossible_ages_of_files_are_refused(scene, days: int) -> None:
    _, admin, _, _ = scene
    with pytest.raises(RetentionDaysInvalid):
        retention.set_rule(principal=admin, conversation_id=None, days=None, file_days=days)
    assert not RetentionRule.objects.exists()


def test_the_page_and_the_api_show_and_set_the_age_of_files(filed) -> None:
    _, admin, ada, places = filed
    api, reader = caller_of(admin), Reader(admin)
    asked = {"conversation": str(places["news"]), "days": None, "file_days": 30}
    shown = api.get(f"/api/v1/retention/preview/?conversation={places['news']}&file_days=30")
    assert (shown.json()["messages"], shown.json()["files"]) == (0, 2)
    made = api.post("/api/v1/retention/rules/", asked, content_type="application/json")
    assert made.json()["file_days"] == 30
    entry = AuditEntry.objects.filter(action=actions.RETENTION_SET).latest("id")
    assert (entry.details["days"], entry.details["file_days"]) == (None, 30)
    console = f"/o/{admin.organization_slug}/console/retention/"
    assert "files 30 days" in reader.client.get(console).content.decode()
    form = {"place": "", "days": "", "file_days": "30"}
    page = reader.client.post(f"{console}new/", form).content.decode()
    assert "This rule deletes 2 files now" in page  # those of the channel have a rule of their own
    assert reader.client.post(f"{console}new/", {**form, "confirmed": "1"}).status_code == 302
    assert {(rule.days, rule.file_days) for rule in rules.list_rules(admin)} == {(None, 30)}
    end_files(admin.organization_id)
    address = Reader(ada).url("conversation", conversation_id=places["lunch"])
    assert "The time of the files here is over." in Reader(ada).client.get(address).content.decode()


def test_a_rule_in_force_is_changed_from_what_it_says(filed) -> None:
    _, admin, *_ = filed
    rule = retention.set_rule(principal=admin, conversation_id=None, days=90, file_days=30, keeps_marked=True)
    reader = Reader(admin)
    console = f"/o/{admin.organization_slug}/console/retention/"
    (change,) = reader.page(console).xpath("//td//a[contains(., 'Change')]/@href")
    assert change == f"{console}new/?rule={rule}"
    fields = {field.get("name"): field for field in reader.page(change).xpath("//main//form//input")}
    assert (fields["days"].get("value"), fields["file_days"].get("value")) == ("90", "30")
    assert fields["keeps_marked"].get("checked") is not None
    (days,) = reader.page(f"{console}new/?rule=x").xpath("//main//input[@name='days']")
    assert days.get("value") is None

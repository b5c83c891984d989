"""Reports: whoever sees a message can report it, moderators read it with an entry in the trail, and decide once."""

from __future__ import annotations

import pytest

from apps.chat import actions
from apps.chat.errors import (
    EmptyMessage,
    MessageDeleted,
    MessageNotFound,
    OwnMessage,
    ReportDecided,
    ReportNotFound,
)
from apps.chat.models import Message, Report
from apps.chat.selectors import conversations, messages
from apps.chat.selectors.moderation import count_open, get_report, list_reports
from apps.chat.services import moderation
from apps.chat.services.messages import delete_message
from apps.chat.types import ReportReason, ReportState
from apps.core.models import AuditEntry
from tests.chat.world import World


@pytest.fixture
def scene(world: World):
    """A rude message in a closed channel, two who read it, a moderator who is not in it."""
    rude, ada, ben = world.person("Rude"), world.person("Ada"), world.person("Ben")
    mod = world.person("Mod", role="moderator")
    channel = world.channel(rude, "closed", [ada, ben], is_private=True)
    return world, rude, ada, ben, mod, world.say(rude, channel, "You are all fools")


def report(principal, message_id, reason=ReportReason.HARASSMENT, note=""):
    return moderation.report_message(principal=principal, message_id=message_id, reason=reason, note=note)


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_report_waits_for_the_moderator_who_reads_it_with_an_entry(scene) -> None:
    _, rude, ada, ben, mod, sent = scene
    first = report(ada, sent.id, note="every day")
    assert report(ada, sent.id, ReportReason.HATE) == first  # again is the same report
    report(ben, sent.id)
    assert count_open(mod) == 1
    listed = list_reports(mod, state="open")
    assert [(view.reporter_name, view.reason, view.reports, view.body) for view in listed] == [
        ("Ada", ReportReason.HATE, 2, ""),
        ("Ben", ReportReason.HARASSMENT, 2, ""),
    ]
    before = acts().count(actions.REPORT_READ)
    assert moderation.read_report(principal=mod, report_id=first).body == "You are all fools"
    assert acts().count(actions.REPORT_READ) == before + 1
    assert list_reports(rude, state="open") == list_reports(ada, state="open") == []


def test_removing_decides_all_reports_of_the_message(scene) -> None:
    _, _, ada, ben, mod, sent = scene
    first, second = report(ada, sent.id), report(ben, sent.id)
    moderation.decide(principal=mod, report_id=second, decision=ReportState.REMOVED)
    assert messages.get_message(ada, sent.id).deleted_at is not None
    assert set(Report.objects.values_list("state", flat=True)) == {"removed"}
    assert {actions.MESSAGE_REMOVED, actions.REPORT_DECIDED} <= set(acts())
    with pytest.raises(ReportDecided):
        moderation.decide(principal=mod, report_id=first, decision=ReportState.DISMISSED)
    with pytest.raises(MessageDeleted):
        report(ben, sent.id)
    assert get_report(mod, first).body == ""


def test_a_warning_is_a_direct_message_and_the_reported_one_stays(scene) -> None:
    _, rude, ada, _, mod, sent = scene
    first = report(ada, sent.id)
    with pytest.raises(EmptyMessage):
        moderation.decide(principal=mod, report_id=first, decision=ReportState.WARNED)
    assert Report.objects.get().state == "open"
    moderation.decide(
        principal=mod, report_id=first, decision=ReportState.WARNED, warning="Please stay kind."
    )
    assert Message.objects.order_by("pk").last().body == "Please stay kind."
    assert [view.name for view in conversations.list_conversations(rude) if view.kind == "direct"] == ["Mod"]
    assert messages.get_message(ada, sent.id).body == "You are all fools"


def test_who_does_not_see_a_message_or_wrote_it_reports_nothing(scene) -> None:
    world, rude, ada, _, mod, sent = scene
    with pytest.raises(MessageNotFound):
        report(world.person("Stranger"), sent.id)
    with pytest.raises(MessageNotFound):
        report(mod, sent.id)  # who moderates does not see it either, until somebody reports it
    with pytest.raises(OwnMessage):
        report(rude, sent.id)
    delete_message(principal=rude, message_id=sent.id)
    with pytest.raises(MessageDeleted):
        report(ada, sent.id)
    assert not Report.objects.exists()


def test_members_decide_nothing(scene) -> None:
    _, _, ada, ben, _, sent = scene
    first = report(ada, sent.id)
    for member in (ada, ben):
        with pytest.raises(ReportNotFound):
            moderation.read_report(principal=member, report_id=first)
        with pytest.raises(ReportNotFound):
            moderation.decide(principal=member, report_id=first, decision=ReportState.REMOVED)
    assert Report.objects.get().state == "open"
    assert Message.objects.get(pk=sent.id).deleted_at is None
    assert actions.REPORT_READ not in acts()


def test_a_decision_is_none_of_the_lists(scene) -> None:
    _, _, ada, _, mod, sent = scene
    with pytest.raises(ValueError, match="open"):
        moderation.decide(principal=mod, report_id=report(ada, sent.id), decision=ReportState.OPEN)

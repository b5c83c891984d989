"""Who decides about reports hears of them, and nobody decides about its own messages."""

from __future__ import annotations

import pytest

from apps.accounts.types import Principal
from apps.chat.errors import ReportDecided, ReportNotFound
from apps.chat.events import MessageDeleted
from apps.chat.handlers import tell_author_of_hiding
from apps.chat.models import Report
from apps.chat.selectors.moderation import count_open, list_reports
from apps.chat.services import moderation, notifying
from apps.chat.services.deleted import restore_message
from apps.chat.services.members import remove_person
from apps.chat.services.messages import delete_message, edit_message
from apps.chat.types import ReportReason, ReportState
from apps.core.models import Event
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page, unread_count
from tests.chat.world import World


def report(by: Principal, message_id, reason: ReportReason = ReportReason.SPAM):
    """Report a message, and let the consumer run."""
    made = moderation.report_message(principal=by, message_id=message_id, reason=reason)
    notifying.tell_of_report(message_id=message_id, reporter_id=by.id)
    return made


def removed(message_id) -> MessageDeleted:
    """Return the last event that took a message away."""
    row = Event.objects.filter(type="message.deleted", payload__message_id=str(message_id)).latest("id")
    return MessageDeleted(
        organization_id=row.organization_id,
        stream_id=row.stream_id,
        actor_id=row.actor_id,
        message_id=message_id,
        deleted_at=row.created_at,
    )


def said_to(person: Principal) -> list[tuple[str, str, str]]:
    """Return what the person's list of notifications says."""
    return [
        (view.described.title, view.described.text, view.described.url) for view in list_page(person).rows
    ]


def test_who_decides_hears_of_a_reported_message_once(world: World) -> None:
    rude, ada, ben = world.person("Rude"), world.person("Ada"), world.person("Ben")
    mod, owner, auditor = (
        world.person(role.title(), role=role) for role in ("moderator", "owner", "auditor")
    )
    sent = world.say(rude, world.channel(rude, "closed", [ada, ben], is_private=True), "Buy my boat")
    first = report(ada, sent.id)
    report(ben, sent.id)
    address = f"/o/{world.organization.slug}/console/reports/"
    for one in (mod, owner):
        ((title, text, url),) = said_to(one)
        assert (title, text) == ("A message was reported", str(ReportReason.SPAM.label))
        assert url.startswith(address)
        assert unread_count(one) == 1
    assert [said_to(one) for one in (rude, ada, ben, auditor)] == [[], [], [], []]
    moderation.decide(principal=mod, report_id=first, decision=ReportState.DISMISSED)
    assert said_to(owner) == said_to(mod) == []
    assert unread_count(owner) == unread_count(mod) == 0


def test_a_report_after_the_decision_is_told_again(world: World) -> None:
    rude, ada, ben = world.person("Rude"), world.person("Ada"), world.person("Ben")
    mod = world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada, ben]), "Buy my boat")
    moderation.decide(principal=mod, report_id=report(ada, sent.id), decision=ReportState.DISMISSED)
    report(ben, sent.id, ReportReason.HATE)
    assert [text for _, text, _ in said_to(mod)] == [str(ReportReason.HATE.label)]


def test_who_reported_reports_a_changed_text_anew(world: World) -> None:
    rude, ada, mod = world.person("Rude"), world.person("Ada"), world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada]), "Buy my boat")
    made = report(ada, sent.id)
    moderation.decide(principal=mod, report_id=made, decision=ReportState.DISMISSED)
    with pytest.raises(ReportDecided):
        report(ada, sent.id)
    edit_message(principal=rude, message_id=sent.id, body="Buy it, you fools")
    assert report(ada, sent.id, ReportReason.HARASSMENT) == made
    assert count_open(mod) == 1
    assert [text for _, text, _ in said_to(mod)] == [str(ReportReason.HARASSMENT.label)]


def test_a_decided_report_is_told_to_nobody(world: World) -> None:
    rude, ada, mod = world.person("Rude"), world.person("Ada"), world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada]), "Buy my boat")
    made = moderation.report_message(principal=ada, message_id=sent.id, reason=ReportReason.SPAM)
    moderation.decide(principal=mod, report_id=made, decision=ReportState.DISMISSED)
    notifying.tell_of_report(message_id=sent.id, reporter_id=ada.id)
    assert not Notification.objects.filter(recipient_id=mod.id).exists()


def test_a_report_of_a_message_that_its_author_deleted_still_waits(world: World) -> None:
    rude, ada, mod = world.person("Rude"), world.person("Ada"), world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada]), "Buy my boat")
    report(ada, sent.id)
    delete_message(principal=rude, message_id=sent.id)
    assert len(said_to(mod)) == count_open(mod) == 1


def test_nobody_reads_or_decides_reports_of_its_own_messages(world: World) -> None:
    ada = world.person("Ada")
    mod, other = world.person("Mona", role="moderator"), world.person("Omar", role="moderator")
    sent = world.say(mod, world.channel(mod, "open", [ada, other]), "You are all fools")
    made = report(ada, sent.id, ReportReason.HARASSMENT)
    assert said_to(mod) == list_reports(mod, state="open") == []
    assert count_open(mod) == 0
    with pytest.raises(ReportNotFound):
        moderation.read_report(principal=mod, report_id=made)
    for act in (
        lambda: moderation.decide(principal=mod, report_id=made, decision=ReportState.DISMISSED),
        lambda: moderation.hide(principal=mod, report_id=made),
    ):
        with pytest.raises(ReportNotFound):
            act()
    assert Report.objects.get().state == ReportState.OPEN
    assert len(said_to(other)) == count_open(other) == 1


def test_the_author_hears_that_a_message_was_removed_until_it_is_back(world: World) -> None:
    rude, ada, mod = world.person("Rude"), world.person("Ada"), world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada, mod]), "Buy my boat")
    made = report(ada, sent.id)
    moderation.hide(principal=mod, report_id=made)
    notifying.tell_of_hidden(sent.id)
    assert [title for title, _, _ in said_to(rude)] == ["Your message is hidden"]
    moderation.decide(principal=mod, report_id=made, decision=ReportState.REMOVED)
    tell_author_of_hiding(removed(sent.id))
    assert [title for title, _, _ in said_to(rude)] == ["Your message was removed"]
    assert unread_count(rude) == 1
    restore_message(principal=mod, message_id=sent.id)
    assert said_to(rude) == []
    assert unread_count(rude) == 0


def test_who_deletes_an_own_message_is_not_told(world: World) -> None:
    rude, ada = world.person("Rude"), world.person("Ada")
    sent = world.say(rude, world.channel(rude, "open", [ada]), "Buy my boat")
    delete_message(principal=rude, message_id=sent.id)
    tell_author_of_hiding(removed(sent.id))
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("decision", "text"),
    [(ReportState.REMOVED, "The message was taken away."), (ReportState.DISMISSED, "The message stays.")],
)
def test_who_reported_hears_what_became_of_it_and_not_by_whom(
    world: World, decision: ReportState, text: str
) -> None:
    rude, ada, ben = world.person("Rude"), world.person("Ada"), world.person("Ben")
    mod = world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada, ben, mod]), "Buy my boat")
    made = report(ada, sent.id)
    report(mod, sent.id)
    moderation.decide(principal=mod, report_id=made, decision=decision)
    ((title, said, url),) = said_to(ada)
    assert (title, said) == ("What you reported was looked at", text)
    assert url.endswith(f"/m/{sent.id}/")
    assert unread_count(ada) == 1
    assert set(Notification.objects.filter(kind="chat.outcome").values_list("recipient_id", "actor_id")) == {
        (ada.id, None)
    }
    assert said_to(ben) == []


def test_what_became_of_a_report_is_taken_back_while_it_waits_again(world: World) -> None:
    rude, ada, mod = world.person("Rude"), world.person("Ada"), world.person("Mona", role="moderator")
    sent = world.say(rude, world.channel(rude, "open", [ada]), "Buy my boat")
    made = report(ada, sent.id)
    moderation.decide(principal=mod, report_id=made, decision=ReportState.DISMISSED)
    edit_message(principal=rude, message_id=sent.id, body="Buy it, you fools")
    report(ada, sent.id)
    assert said_to(ada) == []
    moderation.decide(principal=mod, report_id=made, decision=ReportState.REMOVED)
    assert [text for _, text, _ in said_to(ada)] == ["The message was taken away."]


def test_who_left_the_conversation_hears_it_without_the_place(world: World) -> None:
    rude, ada = world.person("Rude"), world.person("Ada")
    channel = world.channel(rude, "closed", [ada], is_private=True)
    made = report(ada, world.say(rude, channel, "Buy my boat").id)
    remove_person(principal=rude, conversation_id=channel, person_id=ada.id)
    mod = world.person("Mona", role="moderator")
    moderation.decide(principal=mod, report_id=made, decision=ReportState.REMOVED)
    ((_, said, url),) = said_to(ada)
    assert (said, url) == ("The message was taken away.", f"/o/{world.organization.slug}/")

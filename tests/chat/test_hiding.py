"""A reported message can be hidden until somebody decides: from all who read, not from its author and moderators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone
from lxml import html

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.chat import actions
from apps.chat.errors import (
    MessageDeleted,
    MessageNotFound,
    NotRestorable,
    ReportDecided,
    ReportNotFound,
)
from apps.chat.models import Attachment, DeletedMessage, Message
from apps.chat.selectors.deleted import list_restorable
from apps.chat.selectors.messages import get_message, mentions_of, revisions
from apps.chat.selectors.moderation import list_reports
from apps.chat.selectors.unread import totals
from apps.chat.services import deleted, erasing, forwarding, messages, moderation, notifying, reactions
from apps.chat.types import ReportReason, ReportState
from apps.core.data_subjects import Person
from apps.core.models import AuditEntry, Event
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page
from tests.chat.test_api import caller_of
from tests.chat.test_pages import Reader
from tests.chat.world import World, make_world
from tests.factories.files import upload
from tests.walls import everywhere

WORDS = "You are all fools, @Ada"


@dataclass
class Scene:
    """A rude message with a file in a closed channel; Ada reported it, Mona moderates and is not in there."""

    world: World
    rude: Principal
    ada: Principal
    ben: Principal
    mona: Principal
    channel: UUID
    message: UUID
    file: UUID
    report: UUID

    def hide(self) -> None:
        moderation.hide(principal=self.mona, report_id=self.report)

    def decide(self, decision: ReportState, **options: str) -> None:
        moderation.decide(principal=self.mona, report_id=self.report, decision=decision, **options)

    def acts(self) -> list[str]:
        rows = AuditEntry.objects.filter(object_id=str(self.message)).order_by("id")
        return list(rows.values_list("action", flat=True))


@pytest.fixture
def scene(world: World) -> Scene:
    rude, ada, ben = world.person("Rude"), world.person("Ada"), world.person("Ben")
    mona = world.person("Mona", role="moderator")
    channel = world.channel(rude, "closed", [ada, ben], is_private=True)
    file = upload(Member.objects.get(user_id=rude.id)).id
    said = world.say(rude, channel, WORDS, attachments=(file,))
    report = moderation.report_message(
        principal=ada, message_id=said.id, reason=ReportReason.HARASSMENT, note=""
    )
    return Scene(world, rude, ada, ben, mona, channel, said.id, file, report)


def nothing_changed(scene: Scene) -> bool:
    row = Message.objects.get(pk=scene.message)
    is_quiet = not Event.objects.filter(type="message.deleted").exists()
    return (
        row.body == WORDS
        and row.hidden_at is None
        and is_quiet
        and actions.MESSAGE_HIDDEN not in scene.acts()
    )


def test_readers_see_that_it_is_hidden_and_nothing_of_it(scene: Scene) -> None:
    messages.edit_message(principal=scene.rude, message_id=scene.message, body=f"{WORDS}!")
    scene.hide()
    for reader in (scene.ada, scene.ben, scene.rude):
        shown = get_message(reader, scene.message)
        assert (shown.body, shown.html, shown.mentions, shown.attachments) == ("", "", (), ())
        assert shown.hidden_at is not None
        assert shown.deleted_at == shown.hidden_at
        with pytest.raises(MessageNotFound):
            revisions(reader, scene.message)
    assert mentions_of(scene.ada) == []
    assert totals(scene.ada).unread == 0
    told = Event.objects.get(type="message.deleted")
    assert told.payload["hidden_at"] == told.payload["deleted_at"] is not None
    assert not [one for one in Event.objects.values_list("payload", flat=True) if "fools" in str(one)]
    assert scene.acts().count(actions.MESSAGE_HIDDEN) == 1


def test_the_author_and_who_decides_still_read_it(scene: Scene) -> None:
    scene.hide()
    own = moderation.get_own_hidden(principal=scene.rude, message_id=scene.message)
    assert own.body == WORDS
    assert "fools" in own.html
    for other in (scene.ada, scene.ben, scene.mona):
        with pytest.raises(MessageNotFound):
            moderation.get_own_hidden(principal=other, message_id=scene.message)
    view = moderation.read_report(principal=scene.mona, report_id=scene.report)
    assert (view.body, view.files, view.is_hidden, view.is_deleted) == (WORDS, ("note.txt",), True, False)
    assert scene.acts()[-1] == actions.REPORT_READ


def test_its_author_is_told_and_not_any_more_once_it_is_decided(scene: Scene) -> None:
    scene.hide()
    notifying.tell_of_hidden(scene.message)
    notifying.tell_of_hidden(scene.message)
    told = Notification.objects.get(kind=notifying.HIDDEN.key)
    assert (told.recipient_id, told.reason, told.actor_id) == (scene.rude.id, "admin", None)
    (said,) = (view.described for view in list_page(scene.rude).rows)
    assert (said.title, said.place) == ("Your message is hidden", "closed")
    assert "fools" not in said.text
    scene.decide(ReportState.DISMISSED)
    told.refresh_from_db()
    assert told.cancelled_at is not None
    notifying.tell_of_hidden(scene.message)
    assert Notification.objects.filter(kind=notifying.HIDDEN.key, cancelled_at=None).count() == 0


@pytest.mark.parametrize(
    ("decision", "options"), [(ReportState.DISMISSED, {}), (ReportState.WARNED, {"warning": "Be kind."})]
)
def test_a_decision_that_lets_it_stay_brings_it_back_as_it_was(
    scene: Scene, decision: ReportState, options: dict[str, str]
) -> None:
    before = get_message(scene.ben, scene.message)
    scene.hide()
    scene.decide(decision, **options)
    after = get_message(scene.ben, scene.message)
    assert replace(after, version=before.version) == before
    assert after.version == before.version + 2
    assert [one.id for one in mentions_of(scene.ada)] == [scene.message]
    assert not DeletedMessage.objects.exists()
    assert scene.acts()[-2:] == [actions.MESSAGE_SHOWN, actions.REPORT_DECIDED]
    with pytest.raises(MessageNotFound):
        moderation.get_own_hidden(principal=scene.rude, message_id=scene.message)


def test_removing_makes_it_final_within_the_restore_window(scene: Scene) -> None:
    scene.hide()
    scene.decide(ReportState.REMOVED)
    shown = get_message(scene.ada, scene.message)
    assert (shown.hidden_at, shown.body) == (None, "")
    assert shown.deleted_at is not None
    assert scene.acts()[-2:] == [actions.MESSAGE_REMOVED, actions.REPORT_DECIDED]
    last = Event.objects.filter(type="message.deleted").order_by("-sequence").first()
    assert last is not None
    assert last.payload["hidden_at"] is None
    with pytest.raises(NotRestorable):
        deleted.restore_message(principal=scene.rude, message_id=scene.message)
    kept = DeletedMessage.objects.get()
    assert (kept.by_author, kept.purge_at is not None) == (False, True)


def test_while_it_waits_nothing_ends_and_nobody_brings_it_back(scene: Scene) -> None:
    scene.hide()
    inside = scene.world.person("Max", role="moderator")
    scene.world.channel(inside, "other")
    with time_machine.travel(timezone.now() + timedelta(days=300), tick=False):
        with everywhere():
            assert (deleted.purge_due(), deleted.keep_held_files()) == (0, 1)
        with pytest.raises(NotRestorable):
            deleted.restore_message(principal=scene.rude, message_id=scene.message)
        assert list_restorable(scene.rude, scene.channel) == []
        scene.decide(ReportState.DISMISSED)
    assert Attachment.objects.get(message_id=scene.message).file_id == scene.file


def test_nobody_changes_what_is_hidden(scene: Scene) -> None:
    scene.hide()
    with pytest.raises(MessageDeleted):
        messages.edit_message(principal=scene.rude, message_id=scene.message, body="I never said that")
    with pytest.raises(MessageDeleted):
        reactions.add_reaction(principal=scene.ben, message_id=scene.message, emoji="👍")
    with pytest.raises(MessageDeleted):
        forwarding.forward_message(
            principal=scene.rude, message_id=scene.message, conversation_id=scene.channel, client_key="copy"
        )
    messages.delete_message(principal=scene.rude, message_id=scene.message)
    assert DeletedMessage.objects.get().body == WORDS
    scene.hide()
    assert scene.acts().count(actions.MESSAGE_HIDDEN) == 1


def test_who_does_not_decide_hides_nothing(scene: Scene) -> None:
    guest = scene.world.person("Guest", role="guest")
    for other in (scene.rude, scene.ada, scene.ben, guest):
        with pytest.raises(ReportNotFound):
            moderation.hide(principal=other, report_id=scene.report)
    elsewhere = make_world("elsewhere")
    stranger = elsewhere.person("Stranger", role="owner")
    with pytest.raises(ReportNotFound), elsewhere.use():  # type: ignore[attr-defined]  # a context manager
        moderation.hide(principal=stranger, report_id=scene.report)
    assert nothing_changed(scene)


def test_what_is_decided_or_deleted_is_not_hidden(scene: Scene) -> None:
    scene.decide(ReportState.DISMISSED)
    with pytest.raises(ReportDecided):
        scene.hide()
    assert nothing_changed(scene)
    again = moderation.report_message(
        principal=scene.ben, message_id=scene.message, reason=ReportReason.SPAM, note=""
    )
    messages.delete_message(principal=scene.rude, message_id=scene.message)
    with pytest.raises(MessageDeleted):
        moderation.hide(principal=scene.mona, report_id=again)
    assert actions.MESSAGE_HIDDEN not in scene.acts()


def test_who_is_erased_meanwhile_leaves_nothing_to_bring_back(scene: Scene) -> None:
    scene.hide()
    erasing.erase_messages_of(person_of(scene.rude), None)
    scene.decide(ReportState.DISMISSED)
    row = Message.objects.get(pk=scene.message)
    assert (row.body, row.hidden_at, row.deleted_at is not None) == ("", None, True)
    assert actions.MESSAGE_SHOWN not in scene.acts()


def test_pages_show_a_notice_and_the_author_its_own_words(scene: Scene) -> None:
    scene.hide()
    reader, author = Reader(scene.ben), Reader(scene.rude)
    address = reader.url("conversation", conversation_id=scene.channel)
    page = html.tostring(reader.page(address), encoding="unicode")
    assert "This message is hidden while moderators look at it." in page
    assert "fools" not in page
    own = html.tostring(author.page(address), encoding="unicode")
    assert "Moderators have hidden your message while they look at it." in own
    assert "You are all fools" in own


def test_the_api_hides_and_shows_the_author_its_words(scene: Scene) -> None:
    moderator, author, reader = caller_of(scene.mona), caller_of(scene.rude), caller_of(scene.ben)
    hidden = f"/api/v1/messages/{scene.message}/hidden/"
    assert author.get(hidden).status_code == 404
    assert reader.post(f"/api/v1/reports/{scene.report}/hide/").status_code == 404
    assert moderator.post(f"/api/v1/reports/{scene.report}/hide/").status_code == 204
    assert author.get(hidden).json()["body"] == WORDS
    assert reader.get(hidden).status_code == 404
    assert reader.get(f"/api/v1/messages/{scene.message}/").json()["hidden_at"] is not None
    report = moderator.get(f"/api/v1/reports/{scene.report}/").json()
    assert (report["body"], report["is_hidden"]) == (WORDS, True)


def test_the_console_hides_it(scene: Scene) -> None:
    moderator = Reader(scene.mona)
    address = f"/o/{scene.world.organization.slug}/console/reports/{scene.report}/"
    assert moderator.client.post(f"{address}hide/").status_code == 302
    page = html.tostring(moderator.page(address), encoding="unicode")
    assert "Hidden until somebody decides." in page
    assert "You are all fools" in page


def test_who_reported_it_can_be_erased_and_it_is_still_decided(scene: Scene) -> None:
    scene.hide()
    erasing.erase_reports_of(person_of(scene.ada), None)
    (view,) = list_reports(scene.mona, state="open")
    assert (view.reporter_name, view.note) == ("", "")
    scene.decide(ReportState.DISMISSED)
    assert get_message(scene.ben, scene.message).body == WORDS


def person_of(principal: Principal) -> Person:
    return Person(
        organization_id=principal.organization_id, id=principal.id, member_id=principal.member_id,
        name=principal.name, email="", placeholder_id=principal.id, placeholder_member_id=principal.member_id,
        leaves_for_good=False,
    )  # fmt: skip

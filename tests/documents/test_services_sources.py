"""Sources: who may have them, when they are looked at, what is asked before much goes, how they end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.chat.errors import ConversationNotFound
from apps.chat.services.conversations import create_channel
from apps.chat.services.members import end_membership
from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.core.relay import periodic
from apps.documents import handlers
from apps.documents.errors import NothingHeld, SourceBusy, SourceNameTaken, SourceNotFound, TooManySources
from apps.documents.models import Document, Source, SourceItem
from apps.documents.selectors.documents import list_documents
from apps.documents.selectors.sources import get_source, list_sources, list_unread
from apps.documents.services import sources as services
from apps.documents.services.changing import pause_source
from apps.documents.services.documents import delete_document
from apps.documents.services.sources import remove_source
from apps.documents.services.starting import confirm_removal, start_due_syncs, sync_source
from apps.documents.types import SourceInterval, SourceKind
from apps.files.models import StoredFile
from apps.runs.models import Run
from apps.runs.services.runs import cancel_run
from tests.documents import samples
from tests.documents.sources import Shelf, added, synced, texts
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.runs import work_off
from tests.walls import everywhere

NOW = datetime(2026, 11, 20, 9, tzinfo=timezone.get_default_timezone())


def acts() -> list[str]:
    return list(
        AuditEntry.objects.filter(object_type="source").order_by("id").values_list("action", flat=True)
    )


# Who


@pytest.mark.parametrize("role", ["guest", "member", "moderator", "auditor"])
def test_only_administrators_have_sources(administrator: Member, shelf: Shelf, role: str) -> None:
    other = MemberFactory(organization=administrator.organization, role=role)
    with pytest.raises(PermissionMissing):
        added(other, shelf)
    source = added(administrator, shelf)
    who = principal_of(other)
    for act in (
        lambda: sync_source(principal=who, source_id=source.id),
        lambda: pause_source(principal=who, source_id=source.id, is_paused=True),
        lambda: confirm_removal(principal=who, source_id=source.id),
        lambda: remove_source(principal=who, source_id=source.id, with_documents=True),
    ):
        with pytest.raises(PermissionMissing):
            act()
    assert acts() == ["source.added"]
    assert Run.objects.count() == 1


def test_a_source_of_another_organization_does_not_exist(administrator: Member, shelf: Shelf) -> None:
    source = added(administrator, shelf)
    stranger = MemberFactory(role="owner")
    with tenancy.use(stranger.organization_id):
        who = principal_of(stranger)
        assert list_sources(who) == []
        for act in (
            lambda: get_source(who, source.id),
            lambda: sync_source(principal=who, source_id=source.id),
            lambda: remove_source(principal=who, source_id=source.id, with_documents=False),
        ):
            with pytest.raises(SourceNotFound):
                act()
    assert acts() == ["source.added"]


def test_documents_of_a_conversation_are_for_its_members(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    channel = create_channel(principal=principal_of(administrator), name="team", is_private=True)
    source = synced(administrator, shelf, conversation_id=channel)
    outsider = MemberFactory(organization=administrator.organization)
    assert list_documents(principal=principal_of(administrator), conversation_id=channel).count() == 1
    assert not list_documents(principal=principal_of(outsider)).exists()
    assert get_source(principal_of(administrator), source.id).place == "team"


def test_who_left_the_conversation_reads_nothing_more_into_it(administrator: Member, shelf: Shelf) -> None:
    who = principal_of(administrator)
    other = MemberFactory(organization=administrator.organization)
    channel = create_channel(principal=who, name="team", is_private=True, people=[other.user_id])
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf, conversation_id=channel)
    end_membership(conversation_id=channel, person_id=administrator.user_id, actor_id=other.user_id)
    shelf.put("a.txt", b"Other words.")
    Source.objects.update(interval=SourceInterval.HOURLY, due_at=timezone.now())
    with everywhere():
        assert start_due_syncs() == 1
    work_off()
    assert source.item("a.txt").error_code == "documents.source_owner_gone"
    assert texts() == ["First words."]
    assert StoredFile.objects.count() == 1


def test_a_conversation_has_to_be_visible(administrator: Member, shelf: Shelf) -> None:
    with pytest.raises(ConversationNotFound):
        added(administrator, shelf, conversation_id=uuid4())
    assert not Source.objects.exists()


def test_a_name_is_used_once_and_there_is_an_end(
    administrator: Member, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(administrator, shelf)
    with pytest.raises(SourceNameTaken):
        added(administrator, shelf)
    monkeypatch.setattr(services, "MOST_SOURCES", 1)
    with pytest.raises(TooManySources):
        added(administrator, shelf, name="Other")
    assert Source.objects.count() == 1


@pytest.mark.parametrize("seat", ["gone", "lower"])
def test_without_its_owner_a_source_stops_until_somebody_takes_it_over(
    administrator: Member, shelf: Shelf, seat: str
) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    Source.objects.update(interval=SourceInterval.HOURLY, due_at=timezone.now())
    heir = MemberFactory(organization=administrator.organization, role="admin")
    if seat == "gone":
        Member.objects.filter(pk=administrator.pk).update(deactivated_at=timezone.now())
    else:
        Member.objects.filter(pk=administrator.pk).update(
            role=MemberFactory(organization=administrator.organization).role
        )
    with everywhere():
        assert start_due_syncs() == 1
    work_off()
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_owner_gone")
    assert texts() == ["First words."]
    shelf.put("a.txt", b"Other words.")
    sync_source(principal=principal_of(heir), source_id=source.id)
    work_off()
    assert (source.row.state, source.row.created_by_id) == ("ready", heir.user_id)
    assert texts() == ["Other words."]
    assert AuditEntry.objects.filter(action="source.synchronized").get().details == {"taken_over": True}


# When


@pytest.mark.parametrize(
    ("interval", "hours"),
    [(SourceInterval.HOURLY, 1), (SourceInterval.DAILY, 24), (SourceInterval.MANUAL, None)],
)
def test_a_source_is_due_when_its_interval_is_over(
    administrator: Member, shelf: Shelf, interval: SourceInterval, hours: int | None
) -> None:
    with time_machine.travel(NOW, tick=False):
        source = added(administrator, shelf, interval=interval)
    assert source.row.due_at == (NOW + timedelta(hours=hours) if hours else None)


def test_the_clock_starts_what_is_due_and_nothing_twice(administrator: Member, shelf: Shelf) -> None:
    source = synced(administrator, shelf, interval=SourceInterval.HOURLY)
    with everywhere():
        assert start_due_syncs() == 0
        Source.objects.update(due_at=timezone.now())
        assert start_due_syncs() == 1
        assert start_due_syncs() == 0
    assert Run.objects.filter(kind="documents.sync").count() == 2
    assert Run.objects.get(pk=source.row.run_id).principal_id is None
    work_off()
    assert source.row.state == "ready"


def test_a_source_that_rests_is_not_due(administrator: Member, shelf: Shelf) -> None:
    source = synced(administrator, shelf, interval=SourceInterval.HOURLY)
    who = principal_of(administrator)
    pause_source(principal=who, source_id=source.id, is_paused=True)
    pause_source(principal=who, source_id=source.id, is_paused=True)
    Source.objects.update(due_at=timezone.now())
    with everywhere():
        assert start_due_syncs() == 0
    pause_source(principal=who, source_id=source.id, is_paused=False)
    with everywhere():
        assert start_due_syncs() == 1
    assert acts() == ["source.added", "source.paused", "source.resumed"]


def test_after_a_failure_it_is_tried_again_in_an_hour(administrator: Member, shelf: Shelf) -> None:
    shelf.path.rmdir()
    with time_machine.travel(NOW, tick=False):
        source = synced(administrator, shelf, interval=SourceInterval.DAILY)
    assert source.row.state == "failed"
    assert source.row.due_at == NOW + timedelta(hours=1)


def test_the_relay_knows_the_duty(db: None) -> None:
    periodic.due()
    assert "documents.synchronize_due_sources" in periodic._duties
    with everywhere():
        handlers.synchronize_due_sources()


def test_a_cancelled_synchronization_says_so(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = added(administrator, shelf)
    run_id = source.row.run_id
    assert run_id is not None
    cancel_run(principal=principal_of(administrator), run_id=run_id)
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_cancelled")
    assert source.again().state == "ready"
    assert texts() == ["First words."]


# Much at once


@pytest.fixture
def full(administrator: Member, shelf: Shelf, unread: None) -> Callable[[int], None]:
    def fill(number: int) -> None:
        for at in range(number):
            shelf.put(f"{at:02}.txt", f"Words {at}.".encode())

    return fill


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are added and not read: twenty of them would take a minute."""
    monkeypatch.setattr("apps.documents.services.documents.start_reading", lambda *_: None)


@pytest.mark.parametrize(("numbers", "state"), [((20, 11), "held"), ((20, 10), "ready"), ((19, 19), "ready")])
def test_more_than_half_of_twenty_is_asked_first(
    administrator: Member, shelf: Shelf, full: Callable[[int], None], numbers: tuple[int, int], state: str
) -> None:
    known, gone = numbers
    full(known)
    source = synced(administrator, shelf, interval=SourceInterval.HOURLY)
    for at in range(gone):
        shelf.take(f"{at:02}.txt")
    row = source.again()
    assert row.state == state
    left = known if state == "held" else known - gone
    assert Document.objects.count() == left
    assert row.held_count == (gone if state == "held" else 0)
    assert (row.due_at is None) == (state == "held")


def test_new_things_do_not_hide_that_much_would_go(
    administrator: Member, shelf: Shelf, full: Callable[[int], None]
) -> None:
    full(20)
    source = synced(administrator, shelf)
    for at in range(20):
        (shelf.path / f"{at:02}.txt").rename(shelf.path / f"new-{at:02}.txt")
    assert source.again().state == "held"
    assert Document.objects.count() == 40


def test_what_was_shown_goes_once_somebody_agrees(
    administrator: Member, shelf: Shelf, full: Callable[[int], None]
) -> None:
    full(20)
    source = synced(administrator, shelf, interval=SourceInterval.HOURLY)
    who = principal_of(administrator)
    with pytest.raises(NothingHeld):
        confirm_removal(principal=who, source_id=source.id)
    for at in range(12):
        shelf.take(f"{at:02}.txt")
    source.again()
    shelf.put("00.txt", b"Words 0.")
    confirm_removal(principal=who, source_id=source.id)
    work_off()
    row = source.row
    assert (row.state, row.held_count, Document.objects.count()) == ("ready", 0, 9)
    assert row.due_at is not None
    assert AuditEntry.objects.get(action="source.removal_confirmed").details == {"documents": 12}


def test_more_than_was_shown_is_asked_again(
    administrator: Member, shelf: Shelf, full: Callable[[int], None]
) -> None:
    full(20)
    source = synced(administrator, shelf)
    for at in range(12):
        shelf.take(f"{at:02}.txt")
    source.again()
    shelf.take("15.txt")
    confirm_removal(principal=principal_of(administrator), source_id=source.id)
    work_off()
    assert (source.row.state, source.row.held_count) == ("held", 13)
    assert Document.objects.count() == 20


def test_what_is_there_again_is_no_longer_asked(
    administrator: Member, shelf: Shelf, full: Callable[[int], None]
) -> None:
    full(20)
    source = synced(administrator, shelf)
    away = shelf.path.parent / "away"
    away.mkdir()
    for file in shelf.path.iterdir():
        file.rename(away / file.name)
    assert source.again().state == "held"
    for file in away.iterdir():
        file.rename(shelf.path / file.name)
    assert source.again().state == "ready"
    assert Document.objects.count() == 20
    assert not SourceItem.objects.exclude(missing_at=None).exists()


# Documents, and the end


def test_a_document_somebody_deleted_comes_back_only_when_it_changes(
    administrator: Member, shelf: Shelf
) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    delete_document(principal=principal_of(administrator), document_id=Document.objects.get().pk)
    assert source.item("a.txt").document_id is None
    source.again()
    assert texts() == []
    shelf.put("a.txt", b"Other words.")
    source.again()
    assert texts() == ["Other words."]


def test_what_was_read_of_a_changed_file_leaves_nothing_behind(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    shelf.put("a.txt", b"Other words.")
    source.again()
    assert StoredFile.objects.count() == 1
    shelf.put("a.docx", samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"x"}))
    source.again()
    assert source.item("a.docx").content_error == "documents.type_mismatch"
    assert StoredFile.objects.count() == 1


def test_a_quota_that_is_full_is_noted_and_tried_again(
    administrator: Member, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("a.txt", b"First words.")
    with monkeypatch.context() as full:
        full.setattr("apps.files.services.uploads.GIGABYTE", 0)
        source = synced(administrator, shelf)
    assert source.item("a.txt").error_code == "documents.item_no_room"
    view = get_source(principal_of(administrator), source.id)
    assert (view.documents, view.unread) == (0, 1)
    assert [(item.external_id, item.error) for item in list_unread(source.id)] == [
        ("a.txt", "There is no room for it. Delete files, or ask the operator for more.")
    ]
    source.again()
    assert texts() == ["First words."]
    assert get_source(principal_of(administrator), source.id).unread == 0


@pytest.mark.parametrize("with_documents", [True, False])
def test_a_source_ends_with_or_without_its_documents(
    administrator: Member, shelf: Shelf, *, with_documents: bool
) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    remove_source(principal=principal_of(administrator), source_id=source.id, with_documents=with_documents)
    work_off()
    assert not Source.objects.exists()
    assert not SourceItem.objects.exists()
    assert texts() == ([] if with_documents else ["First words."])
    assert AuditEntry.objects.get(action="source.removed").details == {
        "kind": "folder",
        "with_documents": with_documents,
    }


def test_while_it_goes_nothing_new_comes(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = added(administrator, shelf)
    remove_source(principal=principal_of(administrator), source_id=source.id, with_documents=True)
    with pytest.raises(SourceBusy):
        sync_source(principal=principal_of(administrator), source_id=source.id)
    work_off()
    assert not Source.objects.exists()
    assert not Document.objects.exists()
    assert set(Run.objects.values_list("state", flat=True)) == {"cancelled", "succeeded"}


@pytest.mark.parametrize("number", [1, 20])
def test_the_list_costs_the_same_for_one_and_for_many(
    administrator: Member,
    shelf: Shelf,
    number: int,
    django_assert_num_queries: Callable[..., AbstractContextManager[object]],
) -> None:
    for at in range(number):
        added(administrator, shelf, name=f"Source {at}")
    who = principal_of(administrator)
    with django_assert_num_queries(3):  # sources, counts, runs
        rows = list_sources(who)
    assert len(rows) == number
    assert {row.kind for row in rows} == {SourceKind.FOLDER}

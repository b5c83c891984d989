"""Changing a source: what is read, how often, for whom; and that its documents are for the same people at once."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.agents.selectors.answers import get_answer
from apps.agents.services import answers, assistants
from apps.chat.errors import ConversationNotFound
from apps.chat.services.conversations import create_channel
from apps.core.events import types
from apps.core.models import AuditEntry, Event
from apps.documents.connectors.folder import FolderConnector
from apps.documents.errors import (
    DocumentNotFound,
    SourceBusy,
    SourceNameTaken,
    SourcePlaceUnseen,
    SourceSettingsInvalid,
)
from apps.documents.models import Document, Renewal, Source
from apps.documents.selectors.documents import get_document
from apps.documents.services import syncing
from apps.documents.services.changing import SourceChange, SourcePlace, change_source
from apps.documents.services.sources import remove_source
from apps.documents.types import SourceInterval
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.files import can_open
from apps.rag import handlers
from apps.rag.models import Chunk
from apps.runs.models import Run
from apps.runs.services.working import work_on
from tests.documents.sources import Shelf, Synced, added, synced, texts
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.runs import work_off
from tests.rag.library import ask, embed_all

LIBRARY = SourcePlace(None)


@pytest.fixture
def source(administrator: Member, shelf: Shelf) -> Synced:
    """A source of the library with one file, read and indexed."""
    shelf.put("a.txt", b"The yaw brake stays locked.")
    made = synced(administrator, shelf)
    index()
    return made


@pytest.fixture
def channel(administrator: Member) -> UUID:
    """A private channel of the administrator alone."""
    return create_channel(principal=principal_of(administrator), name="team", is_private=True)


@pytest.fixture
def reader(administrator: Member) -> Principal:
    """A member who reads the library and is in no channel."""
    return principal_of(MemberFactory(organization=administrator.organization))


def index() -> None:
    told = Event.objects.filter(type__in=["document.page_parsed", "document.renewed"])
    for row in told.order_by("id").values():
        handlers.index_page(types.restore(row))


def commit(chunk: Chunk) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        chunk.save(force_insert=True)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def change(source: Synced, who: Member | None = None, **wanted: object) -> None:
    change_source(
        principal=principal_of(who or source.member),
        source_id=source.id,
        wanted=SourceChange(**wanted),  # type: ignore[arg-type]  # the tests name them
    )


def acts() -> list[dict[str, object]]:
    rows = AuditEntry.objects.filter(action="source.changed").order_by("id")
    return list(rows.values_list("details", flat=True))


def reads(who: Principal) -> tuple[bool, bool, int]:
    """Whether the document and its file open, and how much of it is found."""
    document = Document.objects.get()
    try:
        get_document(principal=who, document_id=document.pk)
        opens = True
    except DocumentNotFound:
        opens = False
    return opens, can_open(who, document.file_id), len(ask(who, "yaw brake").hits)


# What is changed


def test_a_name_and_a_rhythm_change_nothing_that_was_read(source: Synced) -> None:
    before = source.row.run_id
    change(source, name=" Manual ", interval=SourceInterval.HOURLY)
    row = source.row
    assert (row.name, row.interval, row.run_id, row.state) == ("Manual", "hourly", before, "ready")
    assert row.due_at is not None
    change(source, interval=SourceInterval.MANUAL)
    assert source.row.due_at is None
    assert [one["fields"] for one in acts()] == [["interval", "name"], ["interval"]]


def test_what_is_the_same_is_no_change(source: Synced) -> None:
    before = Run.objects.count()
    change(source, name="Handbook", settings={"path": "/handbook/"}, place=LIBRARY)
    assert (acts(), Run.objects.count()) == ([], before)


def test_another_folder_is_read_and_what_is_not_there_goes(source: Synced, shelf: Shelf) -> None:
    kept = Document.objects.get().pk
    shelf.put("b.txt", b"Second words.")
    source.again()
    other = Shelf(shelf.path.with_name("current"))
    other.put("a.txt", b"The yaw brake stays locked.")
    change(source, settings={"path": "current"})
    assert (source.row.state, source.row.settings) == ("syncing", {"path": "current"})
    work_off()
    assert texts() == ["The yaw brake stays locked."]
    assert Document.objects.get().pk == kept
    assert acts()[0]["fields"] == ["settings"]


@pytest.mark.parametrize("path", ["../other", ".git"])
def test_wrong_settings_are_refused_and_nothing_changes(source: Synced, path: str) -> None:
    with pytest.raises(SourceSettingsInvalid):
        change(source, name="Other", settings={"path": path})
    assert (source.row.name, source.row.settings, acts()) == ("Handbook", {"path": "handbook"}, [])


def test_a_name_of_another_source_is_refused(source: Synced, shelf: Shelf) -> None:
    added(source.member, shelf, name="Other")
    with pytest.raises(SourceNameTaken):
        change(source, name="Other")
    assert (source.row.name, acts()) == ("Handbook", [])


@pytest.mark.parametrize("role", ["guest", "member", "moderator", "auditor"])
def test_only_administrators_change_sources(source: Synced, role: str) -> None:
    other = MemberFactory(organization=source.member.organization, role=role)
    with pytest.raises(PermissionMissing):
        change(source, other, name="Mine")
    assert (source.row.name, acts()) == ("Handbook", [])


def test_a_source_that_goes_is_left_alone(source: Synced) -> None:
    remove_source(principal=principal_of(source.member), source_id=source.id, with_documents=True)
    with pytest.raises(SourceBusy):
        change(source, name="Other")


# For whom


def test_documents_move_with_their_source_at_once(source: Synced, channel: UUID, reader: Principal) -> None:
    assert (reads(reader), reads(principal_of(source.member))) == ((True, True, 1), (True, True, 1))
    change(source, place=SourcePlace(channel))
    assert (reads(reader), reads(principal_of(source.member))) == ((False, False, 0), (True, True, 1))
    document = Document.objects.get()
    assert (document.scope_id, document.conversation_id) == (source.row.scope_id, channel)
    (chunk,) = Chunk.objects.all()
    assert (chunk.scope_id, chunk.conversation_id) == (document.scope_id, channel)
    assert set(Run.objects.filter(kind="documents.ingest").values_list("scope_id", "conversation_id")) == {
        (document.scope_id, channel)
    }
    (act,) = acts()
    assert act == {
        "fields": ["conversation_id", "scope_id"],
        "scope": str(document.scope_id),
        "moved_documents": 1,
    }
    work_off()
    change(source, place=LIBRARY)
    assert reads(reader) == (True, True, 1)
    assert Chunk.objects.get().conversation_id is None


def test_what_was_answered_of_it_is_kept_back_from_who_lost_it(
    source: Synced, channel: UUID, reader: Principal
) -> None:
    assistants.ensure_assistant(organization_id=source.member.organization_id)
    mine, owners = (
        answers.ask(principal=who, question="Is the yaw brake locked?")
        for who in (reader, principal_of(source.member))
    )
    for one in (mine, owners):
        assert one.run_id is not None
        work_on(run_id=one.run_id)
    assert "stays locked" in get_answer(reader, mine.id).body
    change(source, place=SourcePlace(channel))
    kept = get_answer(reader, mine.id)
    assert (kept.is_withheld, kept.sources) == (True, ())
    assert "locked" not in kept.body + kept.html
    assert "stays locked" in get_answer(principal_of(source.member), owners.id).body
    work_off()
    change(source, place=LIBRARY)
    assert "stays locked" in get_answer(reader, mine.id).body


def test_words_find_what_moved_and_vectors_follow(source: Synced, channel: UUID) -> None:
    organization_id = source.member.organization_id
    assert embed_all(organization_id) == 1
    change(source, place=SourcePlace(channel))
    assert len(ask(principal_of(source.member), "yaw brake").hits) == 1
    assert embed_all(organization_id) == 1


def test_what_is_still_to_come_moves_too(
    source: Synced, channel: UUID, reader: Principal, shelf: Shelf
) -> None:
    shelf.put("a.txt", b"The yaw brake is released.")
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    for item_id in syncing.list_items(**here, run_id=source.row.run_id).to_read:  # type: ignore[arg-type]
        syncing.read_item(**here, item_id=item_id)
    coming = Renewal.objects.get().file_id
    change(source, place=SourcePlace(channel))
    assert not can_open(reader, coming)
    work_off()
    index()
    assert (reads(reader), reads(principal_of(source.member))) == ((False, False, 0), (True, True, 1))
    assert (StoredFile.objects.count(), FileScope.objects.get().scope_id) == (1, source.row.scope_id)


def test_a_page_that_is_indexed_meanwhile_gets_no_other_audience(
    source: Synced, channel: UUID, reader: Principal
) -> None:
    stale = Chunk.objects.get()
    change(source, place=SourcePlace(channel))
    stale.pk = None  # the consumer read the page before, and commits now
    with pytest.raises(IntegrityError):
        commit(stale)
    index()
    assert reads(reader) == (False, False, 0)


def test_what_is_read_meanwhile_belongs_to_the_new_place(
    source: Synced, channel: UUID, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("b.txt", b"Second words.")
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    (item_id,) = syncing.list_items(**here, run_id=source.row.run_id).to_read  # type: ignore[arg-type]
    store = syncing.store_stream

    def changed_meanwhile(**options: object) -> object:
        change(source, place=SourcePlace(channel))
        return store(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(syncing, "store_stream", changed_meanwhile)
    assert syncing.read_item(**here, item_id=item_id) == "added"
    assert set(Document.objects.values_list("conversation_id", flat=True)) == {channel}


def test_what_was_read_of_another_place_is_dropped(
    source: Synced, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("b.txt", b"Second words.")
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    (item_id,) = syncing.list_items(**here, run_id=source.row.run_id).to_read  # type: ignore[arg-type]
    read = FolderConnector.read

    def changed_meanwhile(self: FolderConnector, *asked: object) -> object:
        change(source, settings={"path": "elsewhere"})
        return read(self, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(FolderConnector, "read", changed_meanwhile)
    assert syncing.read_item(**here, item_id=item_id) == "gone"
    assert (Document.objects.count(), StoredFile.objects.count()) == (1, 1)


def test_who_is_not_in_the_conversation_moves_nothing_out_of_it(source: Synced, channel: UUID) -> None:
    change(source, place=SourcePlace(channel))
    other = MemberFactory(organization=source.member.organization, role="admin")
    for wanted in ({"place": LIBRARY}, {"settings": {"path": "other"}}):
        with pytest.raises(SourcePlaceUnseen):
            change(source, other, **wanted)
    assert (source.row.conversation_id, source.row.settings) == (channel, {"path": "handbook"})
    change(source, other, name="Manual", interval=SourceInterval.HOURLY, settings={"path": "handbook"})
    assert (source.row.name, source.row.created_by_id) == ("Manual", source.member.user_id)


def test_documents_do_not_move_where_one_is_not(source: Synced, channel: UUID, reader: Principal) -> None:
    other = MemberFactory(organization=source.member.organization, role="admin")
    with pytest.raises(ConversationNotFound):
        change(source, other, place=SourcePlace(channel))
    assert (reads(reader), source.row.conversation_id, acts()) == ((True, True, 1), None, [])


def test_who_changes_what_is_read_takes_it_over(source: Synced, shelf: Shelf) -> None:
    other = MemberFactory(organization=source.member.organization, role="admin")
    Shelf(shelf.path.with_name("current")).put("a.txt", b"Other words.")
    change(source, other, settings={"path": "current"})
    assert source.row.created_by_id == other.user_id
    work_off()
    assert (texts(), Document.objects.get().created_by_id) == (["Other words."], other.user_id)


def test_a_synchronization_of_before_says_nothing_of_the_new_one(source: Synced, shelf: Shelf) -> None:
    Source.objects.filter(pk=source.id).update(state="ready")
    shelf.put("b.txt", b"Second words.")
    before = source.row.run_id
    change(source, settings={"path": "elsewhere"})
    row = source.row
    assert before is not None
    syncing.note_end(
        organization_id=row.organization_id, source_id=row.pk, run_id=before, error_code="documents.x"
    )
    assert (source.row.state, source.row.error_code, source.row.run_id != before) == ("syncing", "", True)


def test_many_documents_move_in_as_many_statements_as_one(
    source: Synced, channel: UUID, shelf: Shelf, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(20):
        shelf.put(f"{number}.txt", f"Words {number}.".encode())
    source.again()
    with django_assert_max_num_queries(60):  # type: ignore[attr-defined]
        change(source, place=SourcePlace(channel))
    assert Document.objects.filter(conversation_id=channel).count() == 21

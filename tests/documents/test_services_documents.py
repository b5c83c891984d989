"""Documents from upload to pages: reading, failing pages, retry, delete, rights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import Member
from apps.chat.errors import ConversationNotFound
from apps.core.models import Event
from apps.documents.errors import (
    DocumentNotFound,
    NothingFailed,
    NotYourDocument,
    Unreadable,
    UnsupportedType,
)
from apps.documents.models import Collection, Document, DocumentPage
from apps.documents.sandbox import client
from apps.documents.selectors.documents import get_document, list_documents, list_page_states
from apps.documents.selectors.pages import get_page, indexable_page, marked_boxes
from apps.documents.services.documents import add_document, delete_document, retry_document
from apps.documents.types import DocumentState, PageState
from apps.files.errors import FileNotFound
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.files import can_open
from apps.files.store import store
from apps.runs.models import Run, Step
from apps.runs.services.runs import cancel_run
from tests.documents import samples
from tests.documents.scans import with_scan
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import document, read_document
from tests.factories.files import archive, picture, upload
from tests.factories.runs import work_off

PDF = "handbook.pdf"


def event_types(document_id: Any) -> list[str]:
    return list(
        Event.objects.filter(stream_id=document_id).order_by("sequence").values_list("type", flat=True)
    )


def test_a_pdf_is_read_page_by_page(member: Member) -> None:
    made = document(member, PDF, samples.text_pdf(["First page text.", "Second page text.", "Third."]))
    assert (made.state, made.page_count, made.percent) == (DocumentState.QUEUED, None, None)
    work_off()
    who = principal_of(member)
    read = get_document(principal=who, document_id=made.id)
    assert (read.state, read.page_count, read.pages_parsed, read.pages_failed) == (
        DocumentState.READY,
        3,
        3,
        0,
    )
    assert get_page(principal=who, document_id=made.id, number=2).text == "Second page text."
    assert event_types(made.id) == ["document.added", *["document.page_parsed"] * 3, "document.parsed"]
    run = Run.objects.get()
    assert (run.queue, run.state, run.steps_done) == ("ingest", "succeeded", 5)
    assert list(Step.objects.filter(name="documents.read_page").values_list("key", flat=True).order_by("id")) == [
        "1", "2", "3",
    ]  # fmt: skip


def test_the_process_that_opens_a_document_reads_its_pages(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, start = [], client.subprocess.Popen

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(client.subprocess, "Popen", counted)
    document(member, PDF, samples.text_pdf(["First page text.", "Second page text."]))
    work_off()
    assert DocumentPage.objects.filter(state=PageState.PARSED).count() == 2
    assert [process.poll() is not None for process in started] == [True]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"Plain words.", "Plain words."),
        ("a.md", b"# Title\n\nMarked words.", "Marked words."),
        ("a.html", b"<h1>Title</h1><p>Tagged words.</p>", "Tagged words."),
        ("a.csv", b"name;age\nAda;36\n", "Ada"),
        ("a.docx", samples.word_file(), ""),
        ("a.xlsx", samples.workbook(), ""),
    ],
)
def test_every_format_is_read(member: Member, name: str, data: bytes, words: str) -> None:
    made = read_document(member, name, data)
    page = get_page(principal=principal_of(member), document_id=made.id, number=1)
    assert words in page.text
    assert page.text
    assert not page.has_picture


def test_a_failing_page_is_listed_and_the_others_are_read(member: Member) -> None:
    made = read_document(member, PDF, with_scan("One.", None, "Three."))
    who = principal_of(member)
    read = get_document(principal=who, document_id=made.id)
    assert (read.state, read.pages_parsed, read.pages_failed) == (DocumentState.READY, 2, 1)
    states = [(page.number, page.state, page.error_code) for page in list_page_states(document_id=made.id)]
    assert states == [
        (1, PageState.PARSED, ""),
        (2, PageState.FAILED, "documents.no_text"),
        (3, PageState.PARSED, ""),
    ]
    assert get_page(principal=who, document_id=made.id, number=2).error == "There is no text on this page."
    assert Run.objects.values_list("state", "steps_failed").get() == ("succeeded", 1)


def test_only_failed_pages_are_tried_again(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    made = read_document(member, PDF, with_scan("One.", None, "Three."))
    before = DocumentPage.objects.get(number=1).parsed_at
    key = StoredFile.objects.get(pk=made.file_id).storage_key
    replace_content(key, samples.text_pdf(["One.", "Two, repaired.", "Three."]))
    retry_document(principal=principal_of(member), document_id=made.id)
    work_off()
    read = get_document(principal=principal_of(member), document_id=made.id)
    assert (read.pages_parsed, read.pages_failed) == (3, 0)
    assert DocumentPage.objects.get(number=2).text == "Two, repaired."
    assert DocumentPage.objects.get(number=1).parsed_at == before
    assert event_types(made.id)[-2:] == ["document.page_parsed", "document.parsed"]
    with pytest.raises(NothingFailed):
        retry_document(principal=principal_of(member), document_id=made.id)


def replace_content(key: str, data: bytes) -> None:
    store().put(key, data)


@pytest.mark.parametrize(
    ("name", "make", "code"),
    [
        ("a.pdf", samples.encrypted_pdf, "documents.encrypted"),
        ("a.pdf", lambda: samples.text_pdf(["x"])[:300], "documents.corrupt"),
        ("a.pdf", samples.scanned_pdf, "documents.no_text"),
        ("a.docx", samples.zip_bomb, "documents.bomb"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(
    member: Member, name: str, make: Callable[[], bytes], code: str
) -> None:
    made = read_document(member, name, make())
    read = get_document(principal=principal_of(member), document_id=made.id)
    assert (read.state, read.error_code) == (DocumentState.FAILED, code)
    assert read.error
    assert read.pages_parsed == 0


@pytest.mark.parametrize(
    ("name", "data", "refusal"),
    [
        ("a.png", picture(), UnsupportedType),
        ("a.zip", archive("x"), UnsupportedType),
        ("a.docx", samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"x"}), Unreadable),
    ],
)
def test_what_is_no_document_is_refused_and_nothing_is_written(
    member: Member, name: str, data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        document(member, name, data)
    assert not Document.objects.exists()
    assert not Run.objects.exists()
    assert not FileScope.objects.exists()


def test_the_library_is_for_every_full_member(member: Member) -> None:
    made = read_document(member, "a.txt", b"For all.")
    colleague = MemberFactory(organization=member.organization)
    guest = MemberFactory(organization=member.organization, role="guest")
    stranger = MemberFactory()
    assert get_document(principal=principal_of(colleague), document_id=made.id).title == "a"
    assert can_open(principal_of(colleague), made.file_id)
    for other in (guest, stranger):
        with pytest.raises(DocumentNotFound):
            get_document(principal=principal_of(other), document_id=made.id)
        assert not list_documents(principal=principal_of(other)).exists()
        assert not can_open(principal_of(other), made.file_id)
    read_document(colleague, "b.txt", b"For all too.")
    assert Collection.objects.filter(organization=member.organization).count() == 1


def test_a_guest_adds_nothing_to_the_library(member: Member) -> None:
    guest = MemberFactory(organization=member.organization, role="guest")
    with pytest.raises(PermissionMissing):
        document(guest, "a.txt", b"x")
    assert not Document.objects.exists()


def test_a_foreign_file_or_conversation_cannot_be_used(member: Member) -> None:
    colleague = MemberFactory(organization=member.organization)
    file = upload(colleague)
    with pytest.raises(FileNotFound):
        add_document(principal=principal_of(member), file_id=file.id)
    own = upload(member)
    with pytest.raises(ConversationNotFound):
        add_document(principal=principal_of(member), file_id=own.id, conversation_id=uuid4())
    assert not Document.objects.exists()


def test_the_same_file_in_one_place_is_one_document(member: Member) -> None:
    file = upload(member, "a.txt", b"words")
    who = principal_of(member)
    first, second = (add_document(principal=who, file_id=file.id) for _ in range(2))
    assert first.id == second.id
    assert Run.objects.count() == 1


def test_deleting_removes_pages_run_file_and_tells(
    member: Member, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    made = read_document(member, PDF, samples.text_pdf(["One.", "Two."]))
    with django_capture_on_commit_callbacks(execute=True):
        delete_document(principal=principal_of(member), document_id=made.id)
    assert not Document.objects.exists()
    assert not DocumentPage.objects.exists()
    assert not StoredFile.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert event_types(made.id)[-1] == "document.deleted"


def test_deleting_while_it_is_read_stops_the_run(member: Member) -> None:
    made = document(member, PDF, samples.text_pdf(["One."]))
    delete_document(principal=principal_of(member), document_id=made.id)
    assert Run.objects.get().state == "cancelled"
    assert work_off() == 0


def test_a_colleague_does_not_delete_and_a_moderator_does(member: Member) -> None:
    made = read_document(member, "a.txt", b"words")
    colleague = MemberFactory(organization=member.organization)
    moderator = MemberFactory(organization=member.organization, role="moderator")
    with pytest.raises(NotYourDocument):
        delete_document(principal=principal_of(colleague), document_id=made.id)
    assert Document.objects.exists()
    delete_document(principal=principal_of(moderator), document_id=made.id)
    assert not Document.objects.exists()


def test_a_cancelled_reading_is_said(member: Member) -> None:
    made = document(member, PDF, samples.text_pdf(["One."]))
    assert made.run_id is not None
    cancel_run(principal=principal_of(member), run_id=made.run_id)
    read = get_document(principal=principal_of(member), document_id=made.id)
    assert (read.state, read.error_code) == (DocumentState.FAILED, "documents.cancelled")


def test_a_passage_is_marked_where_it_stands(member: Member) -> None:
    made = read_document(member, PDF, samples.text_pdf(["Some words to find."]))
    who = principal_of(member)
    page = get_page(principal=who, document_id=made.id, number=1)
    start = page.text.index("words")
    (box,) = marked_boxes(
        principal=who, document_id=made.id, number=1, char_start=start, char_end=start + len("words")
    )
    assert 0 < box.left < 1
    assert 0 < box.top < 1
    assert 0 < box.width < 0.5
    assert 0 < box.height < 0.1


def test_chunks_of_a_page_carry_the_headings_of_the_pages_before(member: Member) -> None:
    text = "# Handbook\n\n## Holidays\n\n" + "\n\n".join(
        f"Sentence number {n} about days off." for n in range(300)
    )
    made = read_document(member, "a.md", text.encode())
    assert made.page_count is None
    last = DocumentPage.objects.order_by("-number").first()
    assert last is not None
    assert last.number > 1
    page = indexable_page(organization_id=member.organization_id, document_id=made.id, number=last.number)
    assert page is not None
    assert page.chunks[0].heading_path == ("Handbook", "Holidays")
    assert page.scope_id == made.scope_id
    whole = get_page(principal=principal_of(member), document_id=made.id, number=last.number).text
    assert all(whole[c.char_start : c.char_end] == c.text[c.prefix_length :] for c in page.chunks)


def test_a_failed_page_has_nothing_to_index(member: Member) -> None:
    made = read_document(member, PDF, with_scan("One.", None))
    assert indexable_page(organization_id=member.organization_id, document_id=made.id, number=2) is None
    assert indexable_page(organization_id=uuid4(), document_id=made.id, number=1) is None


@pytest.mark.parametrize("count", [1, 10])
def test_a_list_costs_one_query(member: Member, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        document(member, f"{number}.txt", f"{number}".encode())
    who = principal_of(member)
    with django_assert_num_queries(1):
        assert len(list(list_documents(principal=who))) == count


def test_a_document_that_fails_again_says_so_again(member: Member) -> None:
    who, made = principal_of(member), read_document(member, "scan.pdf", samples.scanned_pdf())
    assert get_document(principal=who, document_id=made.id).state == DocumentState.FAILED
    assert retry_document(principal=who, document_id=made.id).state == DocumentState.QUEUED
    work_off()
    again = get_document(principal=who, document_id=made.id)
    assert (again.state, again.error_code) == (DocumentState.FAILED, "documents.no_text")

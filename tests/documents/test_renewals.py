"""A thing of a source that changed keeps its document: what is shown meanwhile, and what is left at the end."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Member
from apps.core.data_subjects import Person
from apps.core.models import Event
from apps.documents.errors import NothingFailed
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.selectors.administration import count_documents, page_of_documents
from apps.documents.selectors.documents import get_document, list_page_states
from apps.documents.selectors.pages import get_page
from apps.documents.services import erasing, reading, syncing
from apps.documents.services.documents import delete_document, retry_document
from apps.documents.services.sources import remove_source
from apps.documents.types import DocumentState, DocumentView
from apps.files.models import FileScope, StoredFile
from apps.runs.models import Run, Step
from tests.accounts.sessions import open_session
from tests.documents import samples
from tests.documents.sources import Shelf, Synced, synced, texts
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.runs import work_off

THREE = samples.text_pdf(["First page text.", "Second page text.", "Third page text."])
TWO = samples.text_pdf(["First page text.", "Second page, written anew."])
SCANNED = samples.scanned_pdf()


@pytest.fixture
def source(administrator: Member, shelf: Shelf) -> Synced:
    """A source with one PDF, read to the end."""
    shelf.put("a.pdf", THREE)
    return synced(administrator, shelf)


def changed(source: Synced, shelf: Shelf, data: bytes = TWO) -> UUID:
    """Let the source find another content; nothing of it is read yet. Return the document."""
    shelf.put("a.pdf", data)
    run_id = Run.objects.values_list("pk", flat=True).latest("pk")
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    found = syncing.list_items(**here, run_id=run_id)
    for item_id in found.to_read:
        assert syncing.read_item(**here, item_id=item_id) == "changed"
    document_id = source.item("a.pdf").document_id
    assert document_id is not None
    return document_id


def seen(source: Synced) -> DocumentView:
    document_id = source.item("a.pdf").document_id
    assert document_id is not None
    return get_document(principal=principal_of(source.member), document_id=document_id)


def person_of(member: Member) -> Person:
    nobody = uuid4()
    return Person(
        organization_id=member.organization_id,
        id=member.user_id,
        member_id=member.pk,
        name="",
        email="",
        placeholder_id=nobody,
        placeholder_member_id=nobody,
        leaves_for_good=False,
    )


def pages(source: Synced) -> list[str]:
    """What the document shows, page by page."""
    view, who = seen(source), principal_of(source.member)
    numbers = [page.number for page in list_page_states(document_id=view.id)]
    return [get_page(principal=who, document_id=view.id, number=number).text for number in numbers]


def test_a_change_keeps_the_document(source: Synced, shelf: Shelf) -> None:
    before = seen(source)
    shelf.put("a.pdf", TWO)
    source.again()
    after = seen(source)
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert (before.version, after.version) == (1, 2)
    assert (before.renewed_at, after.renewed_at is None) == (None, False)
    assert (after.state, after.page_count, after.pages_parsed, after.percent) == ("ready", 2, 2, 100)
    assert pages(source) == ["First page text.", "Second page, written anew."]
    assert (DocumentPage.objects.count(), Renewal.objects.count()) == (2, 0)
    assert list(StoredFile.objects.values_list("pk", flat=True)) == [after.file_id] != [before.file_id]
    assert FileScope.objects.get().scope_id == after.scope_id


def test_what_was_read_is_shown_until_the_new_is_there(source: Synced, shelf: Shelf) -> None:
    before = seen(source)
    document_id = changed(source, shelf)
    assert (seen(source).is_renewing, seen(source).file_id) == (True, before.file_id)
    here = {"organization_id": source.member.organization_id, "document_id": document_id, "version": 2}
    with reading.page_reader(**here) as reader:
        reading.open_document(**here, reader=reader)
        reading.store_page(**here, found=reader.page(1))
    assert pages(source) == ["First page text.", "Second page text.", "Third page text."]
    assert (seen(source).page_count, seen(source).pages_parsed, seen(source).version) == (3, 3, 1)
    work_off()
    assert pages(source) == ["First page text.", "Second page, written anew."]
    assert not seen(source).is_renewing


def test_it_is_announced_once_when_it_takes_its_place(source: Synced, shelf: Shelf) -> None:
    last = Event.objects.latest("id").pk
    shelf.put("a.pdf", TWO)
    source.again()
    told = Event.objects.filter(stream_id=seen(source).id, pk__gt=last).order_by("sequence")
    assert list(told.values_list("type", flat=True)) == [
        "document.renewed", "document.page_parsed", "document.page_parsed", "document.parsed",
    ]  # fmt: skip
    assert {event.payload["version"] for event in told} == {2}


def test_a_kill_on_the_way_is_made_up_for(source: Synced, shelf: Shelf) -> None:
    document_id = changed(source, shelf)
    here = {"organization_id": source.member.organization_id, "document_id": document_id, "version": 2}
    for _ in range(2):
        with reading.page_reader(**here) as reader:
            reading.open_document(**here, reader=reader)
            reading.store_page(**here, found=reader.page(2))
    work_off()
    reading.settle(**here)  # its step comes again
    assert pages(source) == ["First page text.", "Second page, written anew."]
    assert (seen(source).version, StoredFile.objects.count(), Document.objects.count()) == (2, 1, 1)
    assert source.again().state == "ready"
    assert (source.steps(), seen(source).version) == (0, 2)


def test_a_second_change_takes_the_place_of_the_first(source: Synced, shelf: Shelf) -> None:
    document_id = changed(source, shelf)
    here = {"organization_id": source.member.organization_id, "document_id": document_id, "version": 2}
    with reading.page_reader(**here) as reader:
        reading.open_document(**here, reader=reader)
        reading.store_page(**here, found=reader.page(1))
        changed(source, shelf, samples.text_pdf(["Only page."]))
        with pytest.raises(reading.Gone):
            reading.store_page(**here, found=reader.page(2))
    assert (Renewal.objects.get().version, StoredFile.objects.count(), DocumentPage.objects.count()) == (
        3,
        2,
        3,
    )
    work_off()
    assert (pages(source), seen(source).version, StoredFile.objects.count()) == (["Only page."], 3, 1)


def test_a_change_before_the_first_reading_ended_is_what_is_read(administrator: Member, shelf: Shelf) -> None:
    source = synced(administrator, shelf)
    shelf.put("a.pdf", THREE)
    run_id = Run.objects.values_list("pk", flat=True).latest("pk")
    here = {"organization_id": administrator.organization_id, "source_id": source.id}
    (item_id,) = syncing.list_items(**here, run_id=run_id).to_read
    assert syncing.read_item(**here, item_id=item_id) == "added"
    changed(source, shelf)
    work_off()
    assert pages(source) == ["First page text.", "Second page, written anew."]
    assert (seen(source).state, seen(source).version, StoredFile.objects.count()) == ("ready", 2, 1)
    assert set(Run.objects.values_list("state", flat=True)) <= {"succeeded", "cancelled"}


def test_a_change_that_cannot_be_read_leaves_what_was_read(source: Synced, shelf: Shelf) -> None:
    who = principal_of(source.member)
    shelf.put("a.pdf", SCANNED)
    source.again()
    after = seen(source)
    assert (after.state, after.version, after.page_count) == (DocumentState.READY, 1, 3)
    assert after.renewal_error == "There is no text on this page."
    assert pages(source) == ["First page text.", "Second page text.", "Third page text."]
    (line,) = page_of_documents(who, state="gaps")
    assert (line.has_failed, line.is_reading, count_documents(who).failed) == (True, False, 1)
    steps = Step.objects.count()
    source.again()
    assert Step.objects.count() == steps + 2  # it did not change since
    shelf.put("a.pdf", TWO)
    source.again()
    assert (seen(source).renewal_error, seen(source).version) == ("", 3)
    assert pages(source) == ["First page text.", "Second page, written anew."]
    assert (StoredFile.objects.count(), Renewal.objects.count()) == (1, 0)


def test_what_failed_is_tried_again(source: Synced, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    who = principal_of(source.member)
    with pytest.raises(NothingFailed):
        retry_document(principal=who, document_id=seen(source).id)
    with monkeypatch.context() as away:
        away.setattr("apps.documents.services.reading.find_content", lambda **_: None)
        shelf.put("a.pdf", TWO)
        source.again()
    assert (seen(source).version, seen(source).renewal_error) == (1, "This failed unexpectedly.")
    assert retry_document(principal=who, document_id=seen(source).id).is_renewing
    work_off()
    assert pages(source) == ["First page text.", "Second page, written anew."]


def test_a_try_that_fails_again_says_so_again(source: Synced, shelf: Shelf) -> None:
    who = principal_of(source.member)
    shelf.put("a.pdf", SCANNED)
    source.again()
    assert retry_document(principal=who, document_id=seen(source).id).is_renewing
    work_off()
    assert (seen(source).is_renewing, seen(source).renewal_error) == (False, "There is no text on this page.")
    assert pages(source) == ["First page text.", "Second page text.", "Third page text."]


def test_a_deletion_takes_what_was_to_come_along(source: Synced, shelf: Shelf) -> None:
    document_id = changed(source, shelf)
    delete_document(principal=principal_of(source.member), document_id=document_id)
    work_off()
    assert texts() == []
    for model in (Document, Renewal, DocumentPage, StoredFile, FileScope):
        assert not model.objects.exists()
    assert source.item("a.pdf").document_id is None


@pytest.mark.parametrize("with_documents", [True, False])
def test_a_source_that_goes_lets_a_change_end_well(
    source: Synced, shelf: Shelf, *, with_documents: bool
) -> None:
    changed(source, shelf)
    remove_source(principal=principal_of(source.member), source_id=source.id, with_documents=with_documents)
    work_off()
    left = [] if with_documents else ["First page text.", "Second page, written anew."]
    assert (texts(), Renewal.objects.count(), StoredFile.objects.count()) == (left, 0, bool(left))


def test_who_took_a_source_over_takes_its_documents_over_as_they_change(source: Synced, shelf: Shelf) -> None:
    other = MemberFactory(organization=source.member.organization, role="admin")
    source.member.deactivated_at = source.member.created_at
    source.member.save(update_fields=["deactivated_at"])
    shelf.put("a.pdf", TWO)
    Synced(other, source.id).again()
    assert Document.objects.get().created_by_id == other.user_id
    assert StoredFile.objects.get().uploader_id == other.user_id


def test_who_is_erased_leaves_nothing_that_was_to_come(source: Synced, shelf: Shelf) -> None:
    other = MemberFactory(organization=source.member.organization, role="admin")
    changed(source, shelf)
    Renewal.objects.update(created_by=other.user)
    person = person_of(other)
    assert erasing.erase_documents_of(person, None).cursor == "more"
    assert erasing.erase_documents_of(person, None).cursor is None
    assert (Renewal.objects.count(), StoredFile.objects.count()) == (0, 1)
    assert pages(source) == ["First page text.", "Second page text.", "Third page text."]
    erasing.erase_documents_of(person_of(source.member), None)
    assert (Document.objects.count(), DocumentPage.objects.count(), StoredFile.objects.count()) == (0, 0, 0)


def test_a_browser_is_not_left_with_the_picture_of_before(source: Synced, shelf: Shelf) -> None:
    client = Client()
    client.cookies["session"] = open_session(source.member.user)
    kwargs = {"slug": source.member.organization.slug, "document_id": seen(source).id, "number": 2}
    where = reverse("documents:page_image", kwargs=kwargs)
    before = client.get(where)
    assert client.get(where, headers={"If-None-Match": before["ETag"]}).status_code == 304
    shelf.put("a.pdf", TWO)
    source.again()
    after = client.get(where, headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, after["ETag"] != before["ETag"]) == (200, True)

"""Documents that people rename and replace by a new version: who may, what is shown meanwhile, what is kept."""

from __future__ import annotations

import dataclasses
from uuid import UUID, uuid4

import pytest

from apps.accounts.errors import NameNotValid, PermissionMissing
from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.chat.services.messages import send_message
from apps.core.errors import DomainError
from apps.core.models import AuditEntry, Event
from apps.documents import errors
from apps.documents.models import Document, Renewal
from apps.documents.selectors.documents import get_document, list_page_states
from apps.documents.selectors.pages import get_page
from apps.documents.services.documents import (
    add_document,
    delete_document,
    rename_document,
    replace_document,
)
from apps.documents.types import DocumentView
from apps.files.errors import FileNotFound
from apps.files.models import FileScope, StoredFile
from apps.runs.models import Run
from tests.documents import samples
from tests.documents.sources import Shelf, synced
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import document, read_document
from tests.factories.files import archive, upload
from tests.factories.runs import work_off

OLD, NEW = b"# Manual\n\nTurn it on.\n", b"# Guide\n\nTurn it off.\n"


@pytest.fixture
def manual(member: Member) -> DocumentView:
    """A document of the library, read to the end."""
    return read_document(member, "manual.md", OLD)


def seen(member: Member, document_id: UUID) -> DocumentView:
    return get_document(principal=principal_of(member), document_id=document_id)


def texts(member: Member, document_id: UUID) -> list[str]:
    """What the document shows, page by page."""
    who = principal_of(member)
    numbers = [page.number for page in list_page_states(document_id=document_id)]
    return [get_page(principal=who, document_id=document_id, number=number).text for number in numbers]


def rename(member: Member, document_id: UUID, title: str = "Other") -> DocumentView:
    return rename_document(principal=principal_of(member), document_id=document_id, title=title)


def replace(member: Member, document_id: UUID, name: str = "guide.md", data: bytes = NEW) -> DocumentView:
    """Upload a file as the member and let it be the next version; nothing of it is read yet."""
    file = upload(member, name, data)
    return replace_document(principal=principal_of(member), document_id=document_id, file_id=file.id)


def colleague(member: Member, role: str = "member") -> Member:
    return MemberFactory(organization=member.organization, role=role)


def types(document_id: UUID) -> list[str]:
    rows = Event.objects.filter(stream_id=document_id).order_by("sequence")
    return list(rows.values_list("type", flat=True))


def test_a_title_is_kept_tidy_told_and_in_the_trail(member: Member, manual: DocumentView) -> None:
    renamed = rename(member, manual.id, "  Das   Handbuch\n")
    assert (renamed.title, renamed.name, renamed.version) == ("Das Handbuch", "manual.md", 1)
    assert types(manual.id)[-2:] == ["document.renamed", "document.page_parsed"]
    assert Event.objects.get(type="document.renamed").payload["title"] == "Das Handbuch"
    (entry,) = AuditEntry.objects.filter(action="document.renamed")
    assert (entry.object_id, entry.details) == (str(manual.id), {"added_by": str(member.user_id)})
    rename(member, manual.id, "Das Handbuch")
    assert types(manual.id).count("document.renamed") == 1
    assert AuditEntry.objects.filter(action="document.renamed").count() == 1


@pytest.mark.parametrize("title", ["", " \n", "x" * 301, "a\x00b"])
def test_what_is_no_title_is_refused(member: Member, manual: DocumentView, title: str) -> None:
    with pytest.raises(NameNotValid):
        rename(member, manual.id, title)
    assert seen(member, manual.id).title == "Manual"
    assert "document.renamed" not in types(manual.id)


def test_a_name_that_somebody_gave_outlives_every_content(member: Member) -> None:
    made = document(member, "manual.md", OLD)
    rename(member, made.id, "manual")  # as the file is called, and still the person's choice
    work_off()
    assert seen(member, made.id).title == "manual"
    replace(member, made.id)
    rename(member, made.id, "Handbook")
    work_off()
    read = seen(member, made.id)
    assert (read.title, read.name, read.version) == ("Handbook", "guide.md", 2)


def test_a_title_given_at_first_is_one_that_somebody_gave(member: Member) -> None:
    made = read_document(member, "manual.md", OLD, title="Our manual")
    replace(member, made.id)
    work_off()
    assert seen(member, made.id).title == "Our manual"


def test_what_was_read_is_shown_until_the_new_version_is(member: Member, manual: DocumentView) -> None:
    begun = replace(member, manual.id)
    assert (begun.is_renewing, begun.title, begun.version) == (True, "Manual", 1)
    assert texts(member, manual.id) == ["Manual\n\nTurn it on."]
    work_off()
    read = seen(member, manual.id)
    assert (read.is_renewing, read.title, read.name, read.version) == (False, "Manual", "guide.md", 2)
    assert texts(member, manual.id) == ["Guide\n\nTurn it off."]
    assert StoredFile.objects.get().pk == read.file_id
    assert FileScope.objects.get().file_id == read.file_id
    assert types(manual.id)[-3:] == ["document.renewed", "document.page_parsed", "document.parsed"]


def test_a_replacement_is_in_the_trail_with_both_files(member: Member, manual: DocumentView) -> None:
    replace(member, manual.id)
    (entry,) = AuditEntry.objects.filter(action="document.replaced")
    assert entry.object_id == str(manual.id)
    assert entry.details == {
        "file": str(Renewal.objects.get().file_id),
        "file_before": str(manual.file_id),
        "added_by": str(member.user_id),
    }


def test_the_same_file_twice_is_one_version(member: Member, manual: DocumentView) -> None:
    file = upload(member, "guide.md", NEW)
    who = principal_of(member)
    for _ in range(2):
        replace_document(principal=who, document_id=manual.id, file_id=file.id)
    assert Run.objects.count() == 2
    work_off()
    again = replace_document(principal=who, document_id=manual.id, file_id=file.id)
    assert (again.version, again.is_renewing) == (2, False)
    assert AuditEntry.objects.filter(action="document.replaced").count() == 1


def test_a_second_replacement_takes_the_place_of_the_first(member: Member, manual: DocumentView) -> None:
    replace(member, manual.id)
    replace(member, manual.id, "last.md", b"# Last\n\nThe last words.\n")
    work_off()
    assert texts(member, manual.id) == ["Last\n\nThe last words."]
    assert StoredFile.objects.count() == 1


def test_one_that_cannot_be_read_leaves_what_was_read(member: Member, manual: DocumentView) -> None:
    replace(member, manual.id, "scan.pdf", samples.scanned_pdf())
    work_off()
    read = seen(member, manual.id)
    assert (read.title, read.version, read.is_renewing) == ("Manual", 1, False)
    assert read.renewal_error != ""
    assert texts(member, manual.id) == ["Manual\n\nTurn it on."]


@pytest.mark.parametrize(
    ("name", "data", "refusal"),
    [
        ("a.zip", archive("x"), errors.UnsupportedType),
        ("a.docx", samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"x"}), errors.Unreadable),
    ],
)
def test_what_is_no_document_is_no_version(
    member: Member, manual: DocumentView, name: str, data: bytes, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        replace(member, manual.id, name, data)
    assert not Renewal.objects.exists()
    assert not AuditEntry.objects.filter(action="document.replaced").exists()


def test_a_colleague_changes_nothing_and_a_moderator_does(member: Member, manual: DocumentView) -> None:
    other, moderator = colleague(member), colleague(member, "moderator")
    for change in (rename, replace):
        with pytest.raises(errors.NotYourDocument):
            change(other, manual.id)
    assert (seen(member, manual.id).title, Renewal.objects.count()) == ("Manual", 0)
    assert not AuditEntry.objects.filter(action__startswith="document.").exists()
    assert rename(moderator, manual.id, "Moderated").title == "Moderated"
    replace(moderator, manual.id)
    work_off()
    read = seen(member, manual.id)
    assert (read.title, read.created_by_id) == ("Moderated", moderator.user_id)
    assert StoredFile.objects.get(pk=read.file_id).uploader_id == moderator.user_id


def test_who_does_not_see_it_is_told_nothing(member: Member) -> None:
    channel = create_channel(principal=principal_of(member), name="vorstand", is_private=True)
    made = read_document(member, "minutes.md", OLD, conversation_id=channel)
    for stranger in (colleague(member, "owner"), colleague(member, "guest"), MemberFactory()):
        for change in (rename, replace):
            with pytest.raises(errors.DocumentNotFound):
                change(stranger, made.id)
    with pytest.raises(errors.DocumentNotFound):
        rename(member, uuid4())
    assert (seen(member, made.id).title, Renewal.objects.count()) == ("Manual", 0)


def test_who_may_add_nothing_any_more_changes_nothing(member: Member, manual: DocumentView) -> None:
    bound = dataclasses.replace(principal_of(member), permissions=frozenset({"directory.read"}))
    file = upload(member, "guide.md", NEW)
    with pytest.raises(PermissionMissing):
        rename_document(principal=bound, document_id=manual.id, title="Other")
    with pytest.raises(PermissionMissing):
        replace_document(principal=bound, document_id=manual.id, file_id=file.id)
    assert (seen(member, manual.id).title, Renewal.objects.count()) == ("Manual", 0)


def test_another_ones_file_is_no_version(member: Member, manual: DocumentView) -> None:
    file = upload(colleague(member), "guide.md", NEW)
    with pytest.raises(FileNotFound):
        replace_document(principal=principal_of(member), document_id=manual.id, file_id=file.id)
    assert not Renewal.objects.exists()


def test_a_file_in_use_is_no_version(member: Member, manual: DocumentView) -> None:
    other = document(member, "other.md", NEW)
    with pytest.raises(errors.FileTaken):
        replace_document(principal=principal_of(member), document_id=manual.id, file_id=other.file_id)
    replace(member, manual.id)
    taken = Renewal.objects.get().file_id
    with pytest.raises(errors.FileTaken):
        replace_document(principal=principal_of(member), document_id=other.id, file_id=taken)
    assert Renewal.objects.count() == 1


def test_what_a_source_reads_is_changed_there(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.md", OLD)
    source = synced(administrator, shelf)
    made = Document.objects.get()
    for change in (rename, replace):
        with pytest.raises(errors.SyncedDocument) as refused:
            change(administrator, made.pk)
        assert (refused.value.code, refused.value.status) == ("documents.synced", 409)
    assert (Document.objects.get().title, Renewal.objects.count()) == ("Manual", 0)
    assert not AuditEntry.objects.filter(action__startswith="document.").exists()
    shelf.put("a.md", NEW)
    source.again()
    assert seen(administrator, made.pk).title == "Guide"


def test_a_file_of_a_message_is_renamed_and_not_replaced(member: Member) -> None:
    who = principal_of(member)
    channel = create_channel(principal=who, name="betrieb")
    file = upload(member, "manual.md", OLD)
    made = add_document(principal=who, file_id=file.id, conversation_id=channel)
    sent = send_message(
        principal=who, conversation_id=channel, body="", client_key="a", attachments=(file.id,)
    )
    assert rename(member, made.id).title == "Other"
    for message_id in (None, sent.id):
        Document.objects.update(message_id=message_id)
        with pytest.raises(errors.MessageCarriesFile):
            replace(member, made.id)
    assert not Renewal.objects.exists()


def test_a_deletion_takes_the_next_version_along(member: Member, manual: DocumentView) -> None:
    replace(member, manual.id)
    delete_document(principal=principal_of(member), document_id=manual.id)
    assert (Document.objects.count(), Renewal.objects.count(), StoredFile.objects.count()) == (0, 0, 0)
    assert work_off() == 0

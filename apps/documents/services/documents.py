"""Add, retry, rename, replace and delete documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.services import trail
from apps.accounts.services.access import can, require
from apps.accounts.services.names import clean_name
from apps.accounts.types import InScope, Principal
from apps.chat.selectors.conversations import scope_of
from apps.chat.selectors.indexing import other_carriers
from apps.core.events import log
from apps.documents import actions, events
from apps.documents.errors import (
    DocumentNotFound,
    FileTaken,
    MessageCarriesFile,
    NothingFailed,
    NotYourDocument,
    SyncedDocument,
    Unreadable,
    UnsupportedType,
)
from apps.documents.models import Document, Renewal, SourceItem
from apps.documents.parsing import sniff
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.selectors.documents import get_document, view_of, visible_documents, with_counts
from apps.documents.services import renewing
from apps.documents.services.collections import library_scope
from apps.documents.services.content import (
    LONGEST_TITLE,
    about,
    announce_pages,
    end_reading,
    start_reading,
    titled,
)
from apps.documents.types import DocumentState, DocumentView
from apps.files.errors import FileNotFound
from apps.files.selectors.files import find_content, get_file, has_audience
from apps.files.services import access as file_access
from apps.files.services.contents import local_path
from apps.files.services.removal import remove_unused
from apps.files.types import FileView
from apps.runs.errors import NothingToRetry
from apps.runs.services import runs


@dataclass(frozen=True)
class Place:
    """Where a document belongs: an audience, and the conversation and message that carry it, if any."""

    scope_id: UUID
    conversation_id: UUID | None = None
    message_id: UUID | None = None


def add_document(
    *, principal: Principal, file_id: UUID, conversation_id: UUID | None = None, title: str = ""
) -> DocumentView:
    """Make an own ready file a document of a conversation, or of the library. Adding it twice returns the first.

    Raises:
        PermissionMissing, ConversationNotFound, FileNotFound.
        UnsupportedType, Unreadable: the file cannot be a document; nothing was written.
    """
    place = _place(principal, conversation_id)
    file, media_type = _own(principal, file_id)
    return _add(principal, file, place, media_type=media_type, title=title, error_code="")


def renew_document(
    *, principal: Principal, document_id: UUID, file_id: UUID, conversation_id: UUID | None = None
) -> bool:
    """Begin to read an own ready file as the next content of a document of this place; what is shown stays till then.

    Returns:
        Whether there is such a document.

    Raises:
        As `add_document`.
    """
    _place(principal, conversation_id)
    file, media_type = _own(principal, file_id)
    with transaction.atomic():
        return renewing.renew(principal=principal, document_id=document_id, file=file, media_type=media_type)


def add_attachment(*, principal: Principal, file: FileView, place: Place) -> DocumentView | None:
    """Make a file of a message a document of its conversation; None for files that are no documents.

    A file that cannot be read becomes a failed document, so that people see why nothing of it is found.
    """
    try:
        media_type, code = detect(file), ""
    except UnsupportedType:
        return None
    except Unreadable as error:
        media_type, code = file.media_type, error.code
    return _add(principal, file, place, media_type=media_type, title="", error_code=code)


def retry_document(*, principal: Principal, document_id: UUID) -> DocumentView:
    """Try what failed again: pages, or the whole document, or its next content.

    Raises:
        DocumentNotFound, NotYourDocument.
        NothingFailed: also while the document is being read.
    """
    with transaction.atomic():
        row = _lock_own(principal, document_id)
        next_one = Renewal.objects.filter(document=row, state=DocumentState.FAILED).first()
        content = next_one or row
        if content.run_id is None:
            raise NothingFailed
        try:
            runs.retry_as_house(run_id=content.run_id)
        except NothingToRetry as error:
            raise NothingFailed from error
        if content.state == DocumentState.FAILED:
            content.state, content.error_code = DocumentState.QUEUED, ""
            content.save(update_fields=["state", "error_code"])
    return get_document(principal=principal, document_id=document_id)


def rename_document(*, principal: Principal, document_id: UUID, title: str) -> DocumentView:
    """Call a document something else, whatever its content says now or later. The same title again is harmless.

    Raises:
        DocumentNotFound, NotYourDocument, PermissionMissing, ConversationNotFound, SyncedDocument.
        NameNotValid: empty, longer than 300 characters, or with some that cannot be shown.
    """
    title = clean_name(title, limit=LONGEST_TITLE)
    with transaction.atomic():
        row = _lock_changeable(principal, document_id)
        if (row.title, row.is_named) != (title, True):
            row.title, row.is_named = title, True
            row.save(update_fields=["title", "is_named"])
            trail.note(principal, actions.RENAMED, "document", row.pk, added_by=row.created_by_id)
            log.record(events.DocumentRenamed(**about(row), actor_id=principal.id, title=title))
            announce_pages(row)
    return get_document(principal=principal, document_id=document_id)


def replace_document(*, principal: Principal, document_id: UUID, file_id: UUID) -> DocumentView:
    """Begin to read an own new file as the next version of a document; what is shown and searched stays till then.

    One that was being read already is dropped; the same file twice is harmless. Who brought what is read in the end is
    who added the document. It keeps its title.

    Raises:
        DocumentNotFound, NotYourDocument, PermissionMissing, ConversationNotFound, SyncedDocument, MessageCarriesFile.
        FileNotFound, FileTaken.
        UnsupportedType, Unreadable: the file cannot be a document; nothing was written.
    """
    require_replaceable(principal=principal, document_id=document_id)  # told before the file is opened
    file, media_type = _own(principal, file_id)
    with transaction.atomic():
        row = _lock_changeable(principal, document_id)
        _require_replaceable(row)
        if not _is_its_own(row, file.id):
            if has_audience(organization_id=row.organization_id, file_id=file.id):
                raise FileTaken
            trail.note(
                principal, actions.REPLACED, "document", row.pk,
                file=file.id, file_before=row.file_id, added_by=row.created_by_id,
            )  # fmt: skip
            renewing.renew(
                principal=principal, document_id=row.pk, file=file, media_type=media_type, title=row.title
            )
    return get_document(principal=principal, document_id=document_id)


def require_replaceable(*, principal: Principal, document_id: UUID) -> None:
    """Return for who may replace a document's file now, before that is sent.

    Raises:
        DocumentNotFound, NotYourDocument, PermissionMissing, ConversationNotFound, SyncedDocument, MessageCarriesFile.
    """
    with transaction.atomic():
        _require_replaceable(_lock_changeable(principal, document_id))


def delete_document(*, principal: Principal, document_id: UUID) -> None:
    """Delete a document with its pages; what was made of it goes in the same transaction.

    A file that no message carries goes with it.

    Raises:
        DocumentNotFound, NotYourDocument.
    """
    with transaction.atomic():
        row = _lock_own(principal, document_id)
        trail.note(
            principal, actions.DELETED, "document", row.pk, file=row.file_id, added_by=row.created_by_id
        )
        remove(row)


def remove(row: Document) -> None:
    """Delete a locked document inside the caller's transaction."""
    renewing.drop_of(row)
    end_reading(row)
    event = events.DocumentDeleted(**about(row), actor_id=row.created_by_id)
    file_id, scope_id, by_message = row.file_id, row.scope_id, row.message_id is not None
    row.delete()
    log.record(event)
    if not by_message:
        file_access.release(file_ids=[file_id], scope_id=scope_id)
        remove_unused(file_ids=[file_id])


def detect(file: FileView) -> str:
    """Return the type of a file as documents know it, by name and content.

    Raises:
        UnsupportedType: by its name.
        Unreadable: encrypted, damaged, mislabelled, a bomb.
    """
    if PurePath(file.name).suffix.lower() not in sniff.MEDIA_TYPES:
        raise UnsupportedType
    content = find_content(organization_id=file.organization_id, file_id=file.id)
    if content is None:
        raise FileNotFound
    try:
        with local_path(content) as path, path.open("rb") as opened:
            return sniff.detect(opened, file.name)
    except ParseError as error:
        raise (
            UnsupportedType() if error.code == ErrorCode.UNSUPPORTED_TYPE else Unreadable(error.code)
        ) from error


def _add(
    principal: Principal, file: FileView, place: Place, *, media_type: str, title: str, error_code: str
) -> DocumentView:
    row = Document(
        organization_id=principal.organization_id,
        file_id=file.id,
        scope_id=place.scope_id,
        conversation_id=place.conversation_id,
        message_id=place.message_id,
        created_by_id=principal.id,
        title=title.strip()[:LONGEST_TITLE] or titled(file.name),
        is_named=bool(title.strip()),
        name=file.name,
        media_type=media_type,
        content_hash=file.sha256,
        state=DocumentState.FAILED if error_code else DocumentState.QUEUED,
        error_code=error_code,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            file_access.attach(file_id=file.id, scope_id=place.scope_id)
            log.record(
                events.DocumentAdded(
                    **about(row), actor_id=row.created_by_id, file_id=file.id, title=row.title
                )
            )
            if not error_code:
                start_reading(principal, row, row)
    except IntegrityError:
        first = with_counts(Document.objects.filter(scope_id=place.scope_id, file_id=file.id)).first()
        if first is None:
            raise
        return view_of(first)
    return view_of(row)


def _place(principal: Principal, conversation_id: UUID | None) -> Place:
    if conversation_id is None:
        require(principal, "document.manage")
        return Place(library_scope())
    require(principal, "file.upload")
    return Place(scope_of(principal, conversation_id), conversation_id)


def _own(principal: Principal, file_id: UUID) -> tuple[FileView, str]:
    file = get_file(principal=principal, file_id=file_id)
    if not file.is_ready:
        raise FileNotFound
    return file, detect(file)


def _lock_changeable(principal: Principal, document_id: UUID) -> Document:
    """Return an own document, locked, in a place where the principal may add others; what a source reads is not."""
    row = _lock_own(principal, document_id)
    _place(principal, row.conversation_id)
    if SourceItem.objects.filter(document=row).exists():
        raise SyncedDocument
    return row


def _require_replaceable(row: Document) -> None:
    carriers = other_carriers(
        organization_id=row.organization_id,
        file_ids=[row.file_id],
        scope_id=row.scope_id,
        message_id=row.message_id,
    )
    if row.message_id is not None or carriers:
        raise MessageCarriesFile


def _is_its_own(row: Document, file_id: UUID) -> bool:
    is_next = Renewal.objects.filter(document=row, file_id=file_id).exclude(state=DocumentState.FAILED)
    return row.file_id == file_id or is_next.exists()


def _lock_own(principal: Principal, document_id: UUID) -> Document:
    visible = visible_documents(principal).filter(pk=document_id).exists()
    row = Document.objects.filter(pk=document_id).select_for_update(no_key=True).first() if visible else None
    if row is None:
        raise DocumentNotFound
    if can(principal, "message.moderate", InScope(row.scope_id)):
        return row
    if row.created_by_id != principal.id:
        raise NotYourDocument
    require(principal, "file.upload")  # which a key that only reads lacks, whosever it is
    return row

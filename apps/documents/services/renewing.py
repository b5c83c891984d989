"""Replace the content of documents: the next one is read beside the one that is shown, and takes its place at the end.

Until then the pages that were read before are searched and shown. What was cited finds the document by its id.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.types import Principal
from apps.core.events import log
from apps.documents import events
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.services.content import about, announce_pages, end_reading, start_reading, titled
from apps.documents.types import DocumentState, PageState
from apps.files.services import access as file_access
from apps.files.services.removal import remove_unused
from apps.files.types import FileView

UNSETTLED = (DocumentState.QUEUED, DocumentState.READING)
_TAKEN_OVER = (
    "file_id", "created_by_id", "name", "media_type", "language", "page_count", "version", "content_hash",
    "run_id",
)  # fmt: skip


def renew(
    *, principal: Principal, document_id: UUID, file: FileView, media_type: str, title: str = ""
) -> bool:
    """Begin to read a ready file as the next content of a document, inside the caller's transaction.

    One that was being read already is dropped. Who calls decided about rights.

    Args:
        title: what it goes on being called; empty takes the content's own or the file's name.

    Returns:
        Whether there is such a document.
    """
    row = Document.objects.filter(organization_id=principal.organization_id, pk=document_id)
    document = row.select_for_update(no_key=True).first()
    if document is None:
        return False
    earlier = Renewal.objects.filter(document=document).select_for_update(no_key=True).first()
    if earlier is not None:
        drop(document, earlier)
    renewal = Renewal(
        organization_id=document.organization_id,
        document=document,
        file_id=file.id,
        created_by_id=principal.id,
        title=title or titled(file.name),
        name=file.name,
        media_type=media_type,
        content_hash=file.sha256,
        version=max(document.version, earlier.version if earlier else 0) + 1,
    )
    renewal.save(force_insert=True)
    file_access.attach(file_id=file.id, scope_id=document.scope_id)
    start_reading(principal, document, renewal)
    return True


def drop(document: Document, renewal: Renewal) -> None:
    """Forget the next content of a locked document, with its file and what was read of it."""
    end_reading(renewal)
    DocumentPage.objects.filter(document=document, version=renewal.version).delete()
    renewal.delete()
    _let_go(renewal.file_id, document.scope_id)


def drop_of(document: Document) -> None:
    """Forget the next content of a locked document that goes, if there is one."""
    renewal = Renewal.objects.filter(document=document).select_for_update().first()
    if renewal is not None:
        drop(document, renewal)


def settle(renewal: Renewal) -> None:
    """Put what was read in the place of what is shown, if any page of it can be; else say why not.

    The caller locked the document. Everything it says now is said by the same commit; copies follow page by page.
    """
    pages = DocumentPage.objects.filter(document_id=renewal.document_id, version=renewal.version)
    failed = pages.filter(state=PageState.FAILED).order_by("number").first()
    if not pages.filter(state=PageState.PARSED).exists():
        renewal.state = DocumentState.FAILED
        renewal.error_code = failed.error_code if failed else ""
        renewal.save(update_fields=["state", "error_code"])
        return
    document = Document.objects.get(pk=renewal.document_id)
    if document.state in UNSETTLED:
        end_reading(document)
    file_before = document.file_id
    DocumentPage.objects.filter(document=document).exclude(version=renewal.version).delete()
    renewal.delete()
    for name in _TAKEN_OVER:
        setattr(document, name, getattr(renewal, name))
    if not document.is_named:
        document.title = renewal.title
    document.state, document.error_code, document.renewed_at = DocumentState.READY, "", timezone.now()
    document.save()
    _let_go(file_before, document.scope_id)
    log.record(events.DocumentRenewed(**about(document)))
    announce_pages(document)
    failed_pages = DocumentPage.objects.filter(document=document, state=PageState.FAILED)
    log.record(
        events.DocumentParsed(
            **about(document),
            state=document.state,
            page_count=document.page_count or 0,
            pages_failed=failed_pages.count(),
        )
    )


def _let_go(file_id: UUID, scope_id: UUID) -> None:
    file_access.release(file_ids=[file_id], scope_id=scope_id)
    remove_unused(file_ids=[file_id])

"""Who sees which documents, and what is known of them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.accounts.selectors.scopes import visible_content, visible_scope_clause
from apps.accounts.types import Principal
from apps.core.database import planned
from apps.documents.errors import DocumentNotFound, sentence
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.types import (
    READABLE,
    DocumentKind,
    DocumentState,
    DocumentView,
    PageState,
    PageStatus,
    media_types_of,
)

MOST_COUNTED = 100
_BEING_READ = """
SELECT count(*) FROM (
  SELECT d.scope_id, d.created_at FROM documents_document d
  WHERE d.organization_id = %(organization)s AND d.state IN ('queued', 'reading') ORDER BY d.id DESC
  LIMIT %(most)s
) d WHERE {visible}
""".format


def visible_documents(principal: Principal) -> QuerySet[Document]:
    """Documents of scopes the principal sees, with how many pages are settled."""
    return with_counts(
        Document.objects.filter(
            visible_content(principal, time="created_at"), organization_id=principal.organization_id
        )
    )


def list_documents(
    *,
    principal: Principal,
    conversation_id: UUID | None = None,
    state: DocumentState | None = None,
    kind: DocumentKind | None = None,
) -> QuerySet[Document]:
    """Visible documents, newest first; shown through `view_of`."""
    documents = visible_documents(principal)
    if conversation_id is not None:
        documents = documents.filter(conversation_id=conversation_id)
    if state is not None:
        documents = documents.filter(state=state)
    if kind is not None:
        documents = of_kind(documents, kind)
    return documents.order_by("-id")


def of_kind(documents: QuerySet[Document], kind: DocumentKind) -> QuerySet[Document]:
    """Narrow documents down to files of a kind."""
    if kind == DocumentKind.OTHER:
        return documents.exclude(media_type__in=READABLE)
    return documents.filter(media_type__in=media_types_of(kind))


def get_document(*, principal: Principal, document_id: UUID) -> DocumentView:
    """Return one document. One query.

    Raises:
        DocumentNotFound: missing, or not visible.
    """
    row = visible_documents(principal).filter(pk=document_id).first()
    if row is None:
        raise DocumentNotFound
    return view_of(row)


def find_by_file(*, principal: Principal, file_id: UUID) -> DocumentView | None:
    """Return the newest visible document made of a file, or None. One query."""
    row = visible_documents(principal).filter(file_id=file_id).order_by("-id").first()
    return view_of(row) if row else None


def list_page_states(*, document_id: UUID) -> list[PageStatus]:
    """Return the settled pages of a document the caller may see, in order. One query, without texts."""
    rows = shown_pages().filter(document_id=document_id).order_by("number")
    return [
        PageStatus(number, PageState(state), code, sentence(code))
        for number, state, code in rows.values_list("number", "state", "error_code")
    ]


def count_being_read(principal: Principal) -> int:
    """Return how many of the visible documents are still being read. One query.

    Of the newest `MOST_COUNTED` of the organization that are, so that it stays cheap in the middle of a large import.
    """
    seen = visible_scope_clause(principal, scope="d.scope_id", time="d.created_at")
    with connection.cursor() as cursor:
        planned.execute(
            cursor,
            _BEING_READ(visible=seen.sql),
            {**seen.params, "organization": principal.organization_id, "most": MOST_COUNTED},
        )
        return int(cursor.fetchone()[0])


def find_document(*, organization_id: UUID, document_id: UUID) -> DocumentView | None:
    """Return a document without asking who looks, for apps that keep a copy under the same scope."""
    rows = Document.objects.filter(organization_id=organization_id, pk=document_id)
    row = with_counts(rows).first()
    return view_of(row) if row else None


def find_scopes(*, organization_id: UUID, document_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the audiences of those of these documents that there are, without asking who looks. At most one query."""
    if not document_ids:
        return {}
    rows = Document.objects.filter(organization_id=organization_id, pk__in=document_ids)
    return dict(rows.values_list("pk", "scope_id"))


def find_names(*, organization_id: UUID, document_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what the files of these documents are called, without asking who looks. At most one query."""
    if not document_ids:
        return {}
    rows = Document.objects.filter(organization_id=organization_id, pk__in=document_ids)
    return dict(rows.values_list("pk", "name"))


def with_counts(documents: QuerySet[Document]) -> QuerySet[Document]:
    """Add the numbers of read and failed pages, each from one index, and how far the next content is."""
    renewal = Renewal.objects.filter(document_id=OuterRef("pk"))
    return documents.annotate(
        pages_parsed=_count(PageState.PARSED),
        pages_failed=_count(PageState.FAILED),
        renewal_state=Subquery(renewal.values("state")),
        renewal_error=Subquery(renewal.values("error_code")),
    )


def shown_pages() -> QuerySet[DocumentPage]:
    """Pages of what documents say now; those of the next content, still being read, are not among them."""
    return DocumentPage.objects.filter(version=F("document__version"))


def view_of(row: Document) -> DocumentView:
    """Return the plain view of a row of `with_counts`."""
    return DocumentView(
        id=row.pk,
        organization_id=row.organization_id,
        scope_id=row.scope_id,
        file_id=row.file_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        created_by_id=row.created_by_id,
        title=row.title,
        name=row.name,
        media_type=row.media_type,
        language=row.language,
        page_count=row.page_count,
        pages_parsed=getattr(row, "pages_parsed", 0),
        pages_failed=getattr(row, "pages_failed", 0),
        state=DocumentState(row.state),
        error_code=row.error_code,
        error=sentence(row.error_code),
        version=row.version,
        run_id=row.run_id,
        created_at=row.created_at,
        renewed_at=row.renewed_at,
        is_renewing=getattr(row, "renewal_state", None) in (DocumentState.QUEUED, DocumentState.READING),
        renewal_error=sentence(getattr(row, "renewal_error", None) or ""),
    )


def _count(state: PageState) -> Coalesce:
    pages = DocumentPage.objects.filter(
        document_id=OuterRef("pk"), version=OuterRef("version"), state=state
    ).order_by()
    counted = pages.values("document_id").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

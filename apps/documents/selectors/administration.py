"""Documents as lists show them: where they belong, what could be read and what could not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.selectors import people
from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.services.access import can
from apps.accounts.types import Principal, ScopeClause
from apps.chat.selectors.indexing import conversation_names
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.selectors.documents import of_kind, view_of, visible_documents
from apps.documents.selectors.sources import find_origins
from apps.documents.types import DocumentKind, DocumentState, DocumentView, Origin, PageState
from apps.files.selectors.files import sizes

READING = (DocumentState.QUEUED, DocumentState.READING)
FILTERS = ("ready", "reading", "gaps", "failed")
PLACES = ("library", "conversations", "own")
_COUNTS = """
SELECT count(*), count(*) FILTER (WHERE d.state = ANY(%(reading)s)),
  count(*) FILTER (WHERE d.state = %(failed)s OR EXISTS (
    SELECT 1 FROM documents_documentpage p
    WHERE p.document_id = d.id AND p.version = d.version AND p.state = %(failed_page)s) OR EXISTS (
    SELECT 1 FROM documents_renewal r WHERE r.document_id = d.id AND r.state = %(failed)s))
FROM documents_document d WHERE {visible}
""".format
_TITLES = "SELECT d.id, d.title FROM documents_document d WHERE d.id = ANY(%(ids)s) AND {visible}".format


@dataclass(frozen=True)
class DocumentLine:
    """A document in a list.

    Attributes:
        person: who added it.
        place: name of its conversation; empty in the library.
        may_change: whether the reader may retry and delete it.
        size_bytes: of its file; None where that is gone.
        origin: where a source reads it from; None for what somebody added.
    """

    document: DocumentView
    person: str
    place: str
    may_change: bool
    size_bytes: int | None
    origin: Origin | None

    @property
    def has_failed(self) -> bool:
        """Something of it could not be read."""
        one = self.document
        return one.state == DocumentState.FAILED or one.pages_failed > 0 or bool(one.renewal_error)

    @property
    def is_reading(self) -> bool:
        """Pages are still being read."""
        return self.document.state in READING or self.document.is_renewing


@dataclass(frozen=True)
class DocumentCounts:
    """Numbers of the documents a reader sees."""

    all: int
    reading: int
    failed: int


def page_of_documents(
    principal: Principal,
    *,
    query: str = "",
    state: str = "",
    place: str = "",
    kind: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[DocumentLine]:
    """Return a page of the visible documents, newest first. Six queries at most.

    Args:
        query: part of the title or of the file's name.
        state: one of `FILTERS`; empty for all.
        place: one of `PLACES`, `own` is what the reader added; empty for all.
        kind: a `DocumentKind`; empty for all.
    """
    rows = _placed(_filtered(visible_documents(principal), state), principal, place)
    if kind:
        rows = of_kind(rows, DocumentKind(kind))
    if wanted := query.replace("\x00", "").strip():
        rows = rows.filter(Q(title__icontains=wanted) | Q(name__icontains=wanted))
    documents = [view_of(row) for row in rows.order_by("-id")[offset : offset + limit]]
    known = people.people(document.created_by_id for document in documents)
    conversations = {one.conversation_id for one in documents if one.conversation_id is not None}
    names = (
        conversation_names(principal=principal, conversation_ids=list(conversations)) if conversations else {}
    )
    moderates = bool(can(principal, "message.moderate"))
    organization_id = principal.organization_id
    bytes_of = sizes(organization_id=organization_id, file_ids={one.file_id for one in documents})
    origins = find_origins(organization_id=organization_id, document_ids={one.id for one in documents})
    return [
        DocumentLine(
            document=document,
            person=known[document.created_by_id].name if document.created_by_id in known else "",
            place=names.get(document.conversation_id, "") if document.conversation_id else "",
            may_change=moderates or document.created_by_id == principal.id,
            size_bytes=bytes_of.get(document.file_id),
            origin=origins.get(document.id),
        )
        for document in documents
    ]


def count_documents(principal: Principal) -> DocumentCounts:
    """Return the numbers of the documents the principal sees. One query."""
    visible = _visible(principal)
    named: dict[str, Any] = {
        "reading": list(READING),
        "failed": DocumentState.FAILED,
        "failed_page": PageState.FAILED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS(visible=visible.sql), {**visible.params, **named})
        return DocumentCounts(*cursor.fetchone())


def titles(principal: Principal, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the titles of those the principal sees. One query."""
    visible = _visible(principal)
    with connection.cursor() as cursor:
        cursor.execute(_TITLES(visible=visible.sql), {**visible.params, "ids": list(ids)})
        return dict(cursor.fetchall())


def _visible(principal: Principal) -> ScopeClause:
    """Return `visible_documents` as SQL, for statements that need no numbers of pages."""
    seen = visible_scope_clause(principal, scope="d.scope_id", time="d.created_at")
    sql = f"d.organization_id = %(organization)s AND {seen.sql}"
    return ScopeClause(sql=sql, params={**seen.params, "organization": principal.organization_id})


def _placed(rows: QuerySet[Document], principal: Principal, place: str) -> QuerySet[Document]:
    if place == "own":
        return rows.filter(created_by_id=principal.id)
    return rows.filter(conversation_id__isnull=place == "library") if place else rows


def _filtered(rows: QuerySet[Document], state: str) -> QuerySet[Document]:
    renewal = Renewal.objects.filter(document_id=OuterRef("pk"))
    failed_page = DocumentPage.objects.filter(
        document_id=OuterRef("pk"), version=OuterRef("version"), state=PageState.FAILED
    )
    conditions = {
        "ready": Q(state=DocumentState.READY),
        "reading": Q(state__in=READING) | Q(Exists(renewal.filter(state__in=READING))),
        "gaps": Q(Exists(failed_page))
        | Q(state=DocumentState.FAILED)
        | Q(Exists(renewal.filter(state=DocumentState.FAILED))),
        "failed": Q(state=DocumentState.FAILED),
    }
    return rows.filter(conditions[state]) if state in conditions else rows

"""Sources as administrators see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import names
from apps.documents.connectors.kinds import kind_of
from apps.documents.errors import SourceNotFound, sentence
from apps.documents.models import Source, SourceItem
from apps.documents.types import Origin, SourceInterval, SourceKind, SourceState, SourceView, UnreadItem
from apps.runs.selectors.runs import find_runs
from apps.runs.types import RunView

MOST_UNREAD = 200
_UNREAD = ~Q(error_code="") | ~Q(content_error="")


def list_sources(principal: Principal) -> list[SourceView]:
    """Return the sources of the principal's organization by name. Four queries."""
    rows = list(_rows(principal).order_by("name"))
    counts = _counts([row.pk for row in rows])
    going = find_runs(
        organization_id=principal.organization_id,
        run_ids=[row.run_id for row in rows if row.run_id and row.state == SourceState.SYNCING],
    )
    places = names(principal, {row.conversation_id for row in rows if row.conversation_id})
    return [
        _view(row, counts.get(row.pk, (0, 0)), places, going.get(row.run_id) if row.run_id else None)
        for row in rows
    ]


def get_source(principal: Principal, source_id: UUID) -> SourceView:
    """Return one source. Four queries.

    Raises:
        SourceNotFound.
    """
    row = _rows(principal).filter(pk=source_id).first()
    if row is None:
        raise SourceNotFound
    places = names(principal, [row.conversation_id] if row.conversation_id else [])
    return _view(row, _counts([row.pk]).get(row.pk, (0, 0)), places, None)


def list_unread(source_id: UUID) -> list[UnreadItem]:
    """Return what of a source of the current organization could not be read, by name. One query."""
    rows = SourceItem.objects.filter(_UNREAD, source_id=source_id).order_by("external_id")
    found = rows.values_list("external_id", "error_code", "content_error")[:MOST_UNREAD]
    return [UnreadItem(name, error or content, sentence(error or content)) for name, error, content in found]


def find_origin(*, organization_id: UUID, document_id: UUID) -> Origin | None:
    """Return where a document was read from, without asking who looks; None for others. One query."""
    return find_origins(organization_id=organization_id, document_ids=[document_id]).get(document_id)


def find_origins(*, organization_id: UUID, document_ids: Collection[UUID]) -> dict[UUID, Origin]:
    """Return where those of these documents that came by a source were read from. At most one query."""
    if not document_ids:
        return {}
    rows = SourceItem.objects.filter(organization_id=organization_id, document_id__in=document_ids)
    found: dict[UUID, Origin] = {}
    for item in rows.select_related("source").defer("source__secret"):
        if item.document_id is not None:
            origin = kind_of(item.source.kind).origin(item.source.settings, item.external_id)
            found[item.document_id] = replace(origin, source=item.source.name)
    return found


def source_names(principal: Principal, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what sources are called. One query."""
    rows = Source.objects.filter(organization_id=principal.organization_id, pk__in=ids)
    return dict(rows.values_list("pk", "name"))


def _rows(principal: Principal) -> QuerySet[Source]:
    rows = Source.objects.filter(organization_id=principal.organization_id)
    return rows.annotate(has_secret=ExpressionWrapper(Q(secret__isnull=False), BooleanField()))


def _counts(source_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return how many things of each source are documents, and how many could not be read."""
    rows = SourceItem.objects.filter(source_id__in=source_ids).values("source_id").order_by()
    counted = rows.annotate(documents=Count("document"), unread=Count("pk", filter=_UNREAD))
    return {row["source_id"]: (row["documents"], row["unread"]) for row in counted}


def _view(row: Source, counts: tuple[int, int], places: dict[UUID, str], run: RunView | None) -> SourceView:
    documents, unread = counts
    return SourceView(
        id=row.pk,
        kind=SourceKind(row.kind),
        name=row.name,
        settings=row.settings,
        has_secret=getattr(row, "has_secret"),  # noqa: B009 - annotated by `_rows`
        about=kind_of(row.kind).about(row.settings),
        conversation_id=row.conversation_id,
        place=places.get(row.conversation_id, "") if row.conversation_id else "",
        interval=SourceInterval(row.interval),
        is_paused=row.is_paused,
        state=SourceState(row.state),
        error_code=row.error_code,
        error=sentence(row.error_code),
        held_count=row.held_count,
        documents=documents,
        unread=unread,
        run_id=row.run_id,
        percent=run.percent if run else None,
        synced_at=row.synced_at,
        due_at=row.due_at,
        created_at=row.created_at,
    )

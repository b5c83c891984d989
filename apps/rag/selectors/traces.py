"""Searches as they were kept: one's own, and all of the organization for who makes search better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.accounts.selectors import people
from apps.accounts.services import access
from apps.accounts.types import PersonView, Principal
from apps.rag.errors import SearchNotFound
from apps.rag.models import RecallCheck, SearchThumb, SearchTrace
from apps.rag.selectors import passages
from apps.rag.selectors.anew import chunks_of_messages
from apps.rag.selectors.ranking import Ranked
from apps.rag.text.query import parse_plain
from apps.rag.types import SLOW_MS, Hit, LeftOut, SearchOrigin, SearchPath, SourceType

INSPECT: Final = "search.inspect"
Which = Literal["", "slow", "empty", "bad"]
SUMMED_DAYS: Final = 7
_NO_QUERY = parse_plain("")
_SUMS = """
SELECT count(*), count(*) FILTER (WHERE hit_count = 0), count(*) FILTER (WHERE took_ms >= %(slow)s),
  count(*) FILTER (WHERE path = 'index'), count(*) FILTER (WHERE path = 'words'),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY took_ms)
FROM rag_searchtrace WHERE organization_id = %(organization)s AND created_at >= %(since)s AND is_finished
"""
_THUMBS = """
SELECT count(*) FILTER (WHERE is_good), count(*) FILTER (WHERE NOT is_good)
FROM rag_searchthumb WHERE organization_id = %(organization)s AND created_at >= %(since)s
"""


@dataclass(frozen=True, kw_only=True)
class SearchLine:
    """A search in a list: what was asked, and nothing of who asked.

    Attributes:
        thumbs_up, thumbs_down: how many of its hits were said to be good, and bad.
    """

    id: UUID
    query: str
    origin: SearchOrigin
    path: SearchPath
    words_only: bool
    hit_count: int
    took_ms: float
    created_at: dt.datetime
    thumbs_up: int
    thumbs_down: int


@dataclass(frozen=True, kw_only=True)
class TracedHit:
    """A hit as it was shown.

    Attributes:
        hit: None where the reader of the trace may not read it, or it is gone.
        is_good: what the searcher said about it.
        left_out: why an answer did not get it; empty where it did, None where nothing was asked for one.
    """

    rank: int
    score: float
    words_score: float
    meaning_score: float | None
    words_rank: int | None
    meaning_rank: int | None
    is_message: bool
    hit: Hit | None
    is_good: bool | None
    left_out: LeftOut | str | None


@dataclass(frozen=True, kw_only=True)
class SearchRecord:
    """All that is kept of a search.

    Attributes:
        searcher: whose sight counted; None when the account is gone.
        agent: who searched for that person.
        chips, synonyms: as they are kept.
        stages: milliseconds by stage, in their order.
    """

    id: UUID
    searcher: PersonView | None
    agent: PersonView | None
    origin: SearchOrigin
    query: str
    has_grammar: bool
    language: str
    chips: Sequence[Mapping[str, Any]]
    synonyms: Sequence[Mapping[str, Any]]
    filters: Mapping[str, Any]
    path: SearchPath
    words_only: bool
    counts: Mapping[str, Any]
    stages: Sequence[tuple[str, float]]
    took_ms: float
    created_at: dt.datetime
    hits: Sequence[TracedHit]


@dataclass(frozen=True, kw_only=True)
class SearchSums:
    """Searches of the last days in numbers; times in milliseconds, None without a search."""

    searches: int
    empty: int
    slow: int
    through_index: int
    words_only: int
    median_ms: float | None
    p95_ms: float | None
    thumbs_up: int
    thumbs_down: int


@dataclass(frozen=True, kw_only=True)
class RecallView:
    """A check of the index; shares from 0 to 1, None without a query."""

    checked_at: dt.datetime
    queries: int
    through_index: int
    recall: float | None
    worst: float | None
    chunks: int

    @property
    def recall_percent(self) -> float | None:
        """The mean, 0 to 100."""
        return None if self.recall is None else 100 * self.recall

    @property
    def worst_percent(self) -> float | None:
        """The lowest, 0 to 100."""
        return None if self.worst is None else 100 * self.worst


def own_searches(principal: Principal) -> QuerySet[SearchTrace]:
    """Return the principal's own searches, with those that agents made for it; of an agent, those it made for its
    person. Who looks at pages as somebody else has none.
    """
    rows = SearchTrace.objects.filter(organization_id=principal.organization_id)
    if principal.viewed_by is not None:
        return rows.none()
    if principal.on_behalf_of is not None:
        return rows.filter(searcher_id=principal.on_behalf_of, agent_id=principal.id)
    return rows.filter(searcher_id=principal.id)


def list_searches(
    principal: Principal, *, which: Which = "", origin: str = "", offset: int, limit: int
) -> list[SearchLine]:
    """Return finished searches of the organization, the newest first; slow ones the slowest first. Two queries.

    Raises:
        PermissionMissing.
    """
    access.require(principal, INSPECT)
    rows = SearchTrace.objects.filter(organization_id=principal.organization_id, is_finished=True)
    order = ("-created_at", "-pk")
    if origin:
        rows = rows.filter(origin=origin)
    if which == "slow":
        rows, order = rows.filter(took_ms__gte=SLOW_MS), ("-took_ms", "-pk")
    elif which == "empty":
        rows = rows.filter(hit_count=0)
    elif which == "bad":
        bad = SearchThumb.objects.filter(
            organization_id=principal.organization_id, trace_id=OuterRef("pk"), is_good=False
        )
        rows = rows.filter(Exists(bad))
    shown = list(
        rows.defer("hits", "chips", "synonyms", "filters", "stages").order_by(*order)[offset:][:limit]
    )
    thumbs: dict[UUID, list[bool]] = {}
    said = SearchThumb.objects.filter(
        organization_id=principal.organization_id, trace_id__in=[row.pk for row in shown]
    )
    for trace_id, is_good in said.values_list("trace_id", "is_good"):
        thumbs.setdefault(trace_id, []).append(is_good)
    return [
        SearchLine(
            id=row.pk,
            query=row.query,
            origin=SearchOrigin(row.origin),
            path=SearchPath(row.path),
            words_only=row.words_only,
            hit_count=row.hit_count,
            took_ms=row.took_ms,
            created_at=row.created_at,
            thumbs_up=thumbs.get(row.pk, []).count(True),
            thumbs_down=thumbs.get(row.pk, []).count(False),
        )
        for row in shown
    ]


def get_search(principal: Principal, search_id: UUID) -> SearchRecord:
    """Return a search of the organization; its hits as far as the reader of the trace may read them.

    Raises:
        PermissionMissing, SearchNotFound.
    """
    access.require(principal, INSPECT)
    row = SearchTrace.objects.filter(organization_id=principal.organization_id, pk=search_id).first()
    if row is None:
        raise SearchNotFound
    said = SearchThumb.objects.filter(organization_id=principal.organization_id, trace_id=row.pk)
    thumbs = dict(said.values_list("number", "is_good"))
    named = people.people({row.searcher_id, *([row.agent_id] if row.agent_id else [])})
    readable = _readable(principal, row)
    return SearchRecord(
        id=row.pk,
        searcher=named.get(row.searcher_id),
        agent=named.get(row.agent_id) if row.agent_id else None,
        origin=SearchOrigin(row.origin),
        query=row.query,
        has_grammar=row.has_grammar,
        language=row.language,
        chips=row.chips,
        synonyms=row.synonyms,
        filters=row.filters,
        path=SearchPath(row.path),
        words_only=row.words_only,
        counts=row.counts,
        stages=[(name, took) for name, took in row.stages],
        took_ms=row.took_ms,
        created_at=row.created_at,
        hits=[
            TracedHit(
                rank=row.skipped + number,
                score=kept["score"],
                words_score=kept["words"],
                meaning_score=kept["meaning"],
                words_rank=kept["words_rank"],
                meaning_rank=kept["meaning_rank"],
                is_message=kept["source_type"] == "message",
                hit=readable.get(kept["chunk"] or kept["source"]),
                is_good=thumbs.get(number),
                left_out=LeftOut(kept["left_out"]) if kept.get("left_out") else kept.get("left_out"),
            )
            for number, kept in enumerate(row.hits, 1)
        ],
    )


def _readable(principal: Principal, row: SearchTrace) -> dict[int | str, Hit]:
    """Return the hits that the reader of the trace may read, by chunk, or by source where there is none."""
    chunks = {kept["chunk"]: kept for kept in row.hits if kept["chunk"] is not None}
    listed = [UUID(kept["source"]) for kept in row.hits if kept["chunk"] is None]
    found = _by_chunk(principal, row, {chunk: chunk for chunk in chunks})
    gone = {
        chunk: UUID(kept["source"])
        for chunk, kept in chunks.items()
        if chunk not in found and kept["source_type"] == SourceType.MESSAGE
    }
    if gone and (anew := chunks_of_messages(gone.values())):
        now = {chunk: anew[source] for chunk, source in gone.items() if source in anew}
        found |= _by_chunk(principal, row, now)
    if listed:
        for hit in passages.message_hits(principal=principal, message_ids=listed, query=_NO_QUERY):
            found[str(hit.source)] = hit
    return found


def _by_chunk(principal: Principal, row: SearchTrace, chunks: Mapping[int, int]) -> dict[int | str, Hit]:
    """Return the readable hits by the chunks they were, which are stored as these ones now."""
    kept = {one["chunk"]: one for one in row.hits}
    ranked = [
        Ranked(
            chunk=now, score=0, words=0, cosine=None, source_type=kept[before]["source_type"],
            source=UUID(kept[before]["source"]), time=row.created_at,
        )
        for before, now in chunks.items()
    ]  # fmt: skip
    if not ranked:
        return {}
    read = {hit.chunk: hit for hit in passages.hits(principal=principal, ranked=ranked, query=_NO_QUERY)}
    return {before: read[now] for before, now in chunks.items() if now in read}


def sum_up(principal: Principal, *, days: int = SUMMED_DAYS) -> SearchSums:
    """Return the finished searches of the last days in numbers. Two queries.

    Raises:
        PermissionMissing.
    """
    access.require(principal, INSPECT)
    given: dict[str, Any] = {
        "organization": principal.organization_id,
        "since": timezone.now() - dt.timedelta(days=days),
        "slow": SLOW_MS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, given)
        searches, empty, slow, through_index, words_only, median_ms, p95_ms = cursor.fetchone()
        cursor.execute(_THUMBS, given)
        thumbs_up, thumbs_down = cursor.fetchone()
    return SearchSums(
        searches=searches,
        empty=empty,
        slow=slow,
        through_index=through_index,
        words_only=words_only,
        median_ms=median_ms,
        p95_ms=p95_ms,
        thumbs_up=thumbs_up,
        thumbs_down=thumbs_down,
    )


def list_recall_checks(principal: Principal, *, most: int = 14) -> list[RecallView]:
    """Return the latest checks of the index, the newest first. One query.

    Raises:
        PermissionMissing.
    """
    access.require(principal, INSPECT)
    rows = RecallCheck.objects.filter(organization_id=principal.organization_id).order_by("-created_at")
    return [
        RecallView(
            checked_at=row.created_at,
            queries=row.queries,
            through_index=row.through_index,
            recall=row.recall,
            worst=row.worst,
            chunks=row.chunks,
        )
        for row in rows[:most]
    ]

"""Keep what a search did, for the console, for thumbs and for who wants to know why a hit is there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.database import planned
from apps.core.retention import Held
from apps.rag.errors import SearchNotFound
from apps.rag.models import SearchTrace
from apps.rag.selectors.traces import own_searches
from apps.rag.services import metrics
from apps.rag.types import Expansion, ExpansionKind, Filters, Given, Hit, SearchOrigin, SearchResult, Trace

# With its plan: making one takes as long as the rest of it.
_KEEP = """
INSERT INTO rag_searchtrace (id, created_at, organization_id, searcher_id, agent_id, origin, query, has_grammar,
  language, chips, synonyms, filters, skipped, path, words_only, counts, stages, hits, hit_count, took_ms,
  is_finished)
VALUES (%(id)s, clock_timestamp(), %(organization)s, %(searcher)s, %(agent)s, %(origin)s, %(query)s, %(has_grammar)s,
  %(language)s, %(chips)s, %(synonyms)s, %(filters)s, %(skipped)s, %(path)s, %(words_only)s, %(counts)s, %(stages)s,
  %(hits)s, %(hit_count)s, %(took_ms)s, %(is_finished)s)
"""
LONGEST_QUERY: Final = 2_000  # characters that are kept of one
BATCH: Final = 2_000


def keep_trace(
    *,
    principal: Principal,
    origin: SearchOrigin,
    query: str,
    result: SearchResult,
    has_grammar: bool = True,
    agent_id: UUID | None = None,
    given: Given | None = None,
    is_finished: bool = True,
) -> None:
    """Keep the trace of a search and count it; not of who looks at pages as somebody else. One statement, for after the
    answer.

    Args:
        principal: who searched; for an agent, who asked.
        has_grammar: whether operators were read.
        agent_id: the principal of the agent that searched.
        given: what of it an answer got.
        is_finished: not where its text is still being written; `finish` says later that it was meant.
    """
    if principal.viewed_by is not None:
        return
    trace = result.trace
    _count_related(origin, result)
    values = {
        "id": result.id,
        "organization": principal.organization_id,
        "searcher": principal.on_behalf_of or principal.id,
        "agent": agent_id or (principal.id if principal.on_behalf_of else None),
        "origin": origin.value,
        "query": query[:LONGEST_QUERY].replace("\0", ""),
        "has_grammar": has_grammar,
        "language": trace.language,
        "chips": _json(
            [
                {
                    "kind": chip.kind,
                    "text": chip.text,
                    "is_known": chip.is_known,
                    "is_negated": chip.is_negated,
                }
                for chip in result.chips
            ]
        ),
        "synonyms": _json([_expansion(one) for one in result.expanded]),
        "filters": _json(_filters(result.filters)),
        "skipped": trace.offset,
        "path": trace.path.value,
        "words_only": result.words_only,
        "counts": _json(_counts(trace) | _given(given)),
        "stages": _json(trace.stages),
        "hits": _json([_hit(hit) | _left_out(hit, given) for hit in result.hits]),
        "hit_count": len(result.hits),
        "took_ms": round(result.took_ms, 2),
        "is_finished": is_finished,
    }
    with connection.cursor() as cursor:
        planned.execute(cursor, _KEEP, values)


def finish(*, principal: Principal, search_id: UUID) -> None:
    """Note that an own search was meant: its reader opened a hit, judged one, or read what was found.

    Twice is harmless.

    Raises:
        SearchNotFound.
    """
    rows = own_searches(principal).filter(pk=search_id)
    if not rows.filter(is_finished=False).update(is_finished=True) and not rows.exists():
        raise SearchNotFound


def _count_related(origin: SearchOrigin, result: SearchResult) -> None:
    if result.trace.offset:
        return
    if result.related:
        metrics.RELATED.labels(origin=origin.value, outcome="offered").inc()
    if result.expanded_by(ExpansionKind.RELATED):
        metrics.RELATED.labels(origin=origin.value, outcome="used").inc()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def remove_old(organization_id: UUID, before: datetime, held: Held) -> int:
    """Delete an organization's traces from before a moment with their thumbs, except of people who are held."""
    removed = 0
    with tenancy.use(organization_id):
        rows = SearchTrace.objects.filter(organization_id=organization_id, created_at__lt=before).exclude(
            searcher_id__in=held.people
        )
        while ids := list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
            SearchTrace.objects.filter(organization_id=organization_id, pk__in=ids).delete()
            removed += len(ids)
    return removed


def _expansion(one: Expansion) -> dict[str, Any]:
    return {"text": one.text, "term": one.term, "is_used": one.is_used, "kind": one.kind.value}


def _counts(trace: Trace) -> dict[str, Any]:
    return {
        "visible": trace.visible,
        "is_more": trace.is_more,
        "with_words": trace.with_words,
        "near": trace.near,
        "candidates": trace.candidates,
        "ranked": trace.ranked,
        "collapsed": trace.collapsed,
        "withheld": trace.withheld,
    }


def _filters(filters: Filters) -> dict[str, Any]:
    """Return what is set, as JSON."""
    given = {
        "sources": [source.value for source in filters.sources],
        "authors": [str(one) for one in filters.authors],
        "conversations": [str(one) for one in filters.conversations],
        "documents": [str(one) for one in filters.documents],
        "after": filters.after and filters.after.isoformat(),
        "before": filters.before and filters.before.isoformat(),
        "media_types": list(filters.media_types),
        "languages": list(filters.languages),
        "file_names": list(filters.file_names),
        "not_file_names": list(filters.not_file_names),
        "has_file": filters.has_file,
        "exclude_generated": filters.exclude_generated,
        "nothing": filters.nothing,
    }
    return {name: value for name, value in given.items() if value}


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "chunk": hit.chunk,
        "source_type": hit.source_type.value,
        "source": str(hit.source),
        "score": round(hit.score, 4),
        "words": round(hit.words_score, 4),
        "meaning": None if hit.meaning_score is None else round(hit.meaning_score, 4),
        "words_rank": hit.words_rank,
        "meaning_rank": hit.meaning_rank,
    }


def _given(given: Given | None) -> dict[str, Any]:
    if given is None:
        return {}
    return {
        "given": given.passages,
        "neighbours": given.neighbours,
        "tokens": given.tokens,
        "budget_tokens": given.budget_tokens,
    }


def _left_out(hit: Hit, given: Given | None) -> dict[str, Any]:
    """Return why an answer did not get the hit; empty text where it did."""
    if given is None or hit.chunk is None:
        return {}
    return {"left_out": str(given.left_out.get(hit.chunk, ""))}

"""The one search: words and meaning over messages and documents, inside what the searcher may see."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.selectors.search.grammar import Query
from apps.chat.selectors.search.understanding import Demand, demands, read_query, understand
from apps.documents.selectors.documents import count_being_read
from apps.rag.errors import CursorUnknown
from apps.rag.selectors import passages
from apps.rag.selectors.listing import Listed, cursor_of, list_messages, place_of
from apps.rag.selectors.narrowing import chip, demands_of, is_list, narrowed
from apps.rag.selectors.ranking import Ranked, Reach, rank
from apps.rag.selectors.related import with_related
from apps.rag.selectors.suggestions import with_suggestions
from apps.rag.selectors.synonyms import with_synonyms
from apps.rag.text.query import ParsedQuery, parse_plain, texts_of
from apps.rag.types import MOST_HITS, Filters, SearchPath, SearchResult, SourceType, Suggestion, Trace

Order = Literal["best", "newest"]
LARGEST_LIMIT = 50


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What is searched for; `demands` None: an operator names what nobody, or not the principal, can see."""

    principal: Principal
    reach: Reach
    query: ParsedQuery
    given: Filters
    demands: list[Demand] | None
    limit: int
    cursor: str


def search(
    *,
    principal: Principal,
    query: str,
    filters: Filters | None = None,
    limit: int = 20,
    cursor: str = "",
    order: Order = "best",
    audience: Sequence[UUID] = (),
    collapse: bool = True,
    grammar: bool = True,
    plain: Sequence[str] = (),
    suggested: Sequence[Suggestion] = (),
    related: Sequence[str] = (),
    by_meaning: bool = True,
) -> SearchResult:
    """Return one page of what fits the query and the principal may read.

    An agent for a person finds what both may see. Words alone decide where the encoder does not answer in time, and
    the result says so.

    Args:
        query: words, "phrases", operators such as `from:anna`, and `-` before what must not be.
        filters: narrow it further.
        limit: 1 to 50.
        cursor: of the page before.
        order: `newest` sorts what was found by its time; a list always is.
        audience: principals who must be able to see each hit, too.
        collapse: one hit for each document, with the number of the others.
        grammar: False takes every part of the query as words, as in a question to an agent.
        plain: synonyms and suggestions that are not looked for.
        suggested: what a language model says for words of the query; a list of messages takes none of it.
        related: words of hits that the searcher added; as above.
        by_meaning: False asks for no vector: what the words alone find, before the model process could answer.

    Raises:
        PermissionMissing, CursorUnknown, SearchNotUnderstood.
    """
    access.require(principal, "search.use")
    begun = time.perf_counter()
    asked = read_query(query) if grammar else Query(query)
    understood = understand(principal, asked)
    read = time.perf_counter()
    texts, expanded = with_synonyms(
        principal, texts_of(asked) if grammar else parse_plain(query), left_out=plain
    )
    is_listed = is_list(texts, understood, filters or Filters())
    if suggested and not is_listed:
        texts, expanded = with_suggestions(texts, expanded, suggested, left_out=plain)
    if related and not is_listed:
        texts, expanded = with_related(texts, expanded, related)
    expanding = time.perf_counter() - read
    wanted = _Wanted(
        principal=principal,
        reach=reach_of(principal, audience),
        query=texts,
        given=filters or Filters(),
        demands=demands(understood),
        limit=max(1, min(limit, LARGEST_LIMIT)),
        cursor=cursor,
    )
    result = (
        _listed(wanted)
        if is_listed
        else _ranked(wanted, order=order, collapse=collapse, by_meaning=by_meaning)
    )
    chips = tuple(chip(one, asked.text) for one in understood)
    took_ms = (time.perf_counter() - begun) * 1000
    trace = replace(
        result.trace,
        stages=(("understanding", _ms(read - begun)), ("synonyms", _ms(expanding)), *result.trace.stages),
    )
    return replace(result, chips=chips, expanded=expanded, took_ms=took_ms, trace=trace)


def documents_being_read(principal: Principal, result: SearchResult) -> int:
    """Return how many documents that could be missing in a result are still being read. At most one query."""
    sources = result.filters.sources
    if result.is_list or (sources and SourceType.DOCUMENT not in sources):
        return 0
    return count_being_read(principal)


def _ranked(wanted: _Wanted, *, order: Order, collapse: bool, by_meaning: bool) -> SearchResult:
    principal, offset = wanted.principal, _offset(wanted.cursor)
    filters = (
        replace(wanted.given, nothing=True)
        if wanted.demands is None
        else narrowed(wanted.given, wanted.demands)
    )
    ranking = rank(reach=wanted.reach, query=wanted.query, filters=filters, by_meaning=by_meaning)
    kept, more = _arrange(ranking.ranked, order=order, collapse=collapse)
    page = kept[offset : offset + wanted.limit]
    begun = time.perf_counter()
    found = passages.hits(principal=principal, ranked=page, query=wanted.query, more=more)
    trace = replace(
        ranking.trace,
        collapsed=sum(more.values()),
        withheld=len(page) - len(found),
        offset=offset,
        stages=(*ranking.trace.stages, ("passages", _ms(time.perf_counter() - begun))),
    )
    following = offset + len(page)
    return SearchResult(
        hits=tuple(found),
        words_only=ranking.words_only,
        total_hint=max(ranking.found, len(kept)),
        next_cursor=_cursor(following) if following < len(kept) else "",
        took_ms=0,
        filters=filters,
        trace=trace,
    )


def _listed(wanted: _Wanted) -> SearchResult:
    after = place_of(wanted.cursor)
    given = demands_of(wanted.given)
    begun = time.perf_counter()
    rows: list[Listed] = []
    if wanted.demands is not None and given is not None:
        rows = list_messages(
            principal=wanted.principal,
            reach=wanted.reach,
            query=wanted.query,
            demands=[*wanted.demands, *given],
            limit=wanted.limit + 1,
            after=after,
        )
    listed = time.perf_counter()
    page = rows[: wanted.limit]
    hits = passages.message_hits(
        principal=wanted.principal, message_ids=[row.message for row in page], query=wanted.query
    )
    return SearchResult(
        hits=tuple(hits),
        words_only=True,
        total_hint=len(hits),
        next_cursor=cursor_of(page[-1]) if len(rows) > len(page) else "",
        took_ms=0,
        is_list=True,
        filters=wanted.given,
        trace=Trace(
            path=SearchPath.LIST,
            ranked=len(page),
            withheld=len(page) - len(hits),
            stages=(("listing", _ms(listed - begun)), ("passages", _ms(time.perf_counter() - listed))),
        ),
    )


def reach_of(principal: Principal, audience: Sequence[UUID] = ()) -> Reach:
    """Return who must see a hit (the principal, the person it acts for, the audience) and what bounds the principal."""
    acting = [principal.id] if principal.on_behalf_of is None else [principal.id, principal.on_behalf_of]
    return Reach((*acting, *audience), scopes=principal.scopes, classes=principal.data_classes)


def _arrange(
    ranked: Sequence[Ranked], *, order: Order, collapse: bool
) -> tuple[list[Ranked], dict[int, int]]:
    """Return the hits in their order, and for each document's best hit how many others it stands for."""
    kept: list[Ranked] = []
    standing: dict[UUID, int] = {}
    more: dict[int, int] = {}
    for one in ranked:
        if collapse and one.source_type == SourceType.DOCUMENT:
            if first := standing.get(one.source):
                more[first] = more.get(first, 0) + 1
                continue
            standing[one.source] = one.chunk
        kept.append(one)
    if order == "newest":
        kept.sort(key=lambda one: (one.time, one.chunk), reverse=True)
    return kept, more


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor[:16] + "=" * (-len(cursor) % 4)).decode()
        offset = int(text.removeprefix("o"))
    except (ValueError, binascii.Error) as error:
        raise CursorUnknown from error
    if not 0 <= offset <= MOST_HITS:
        raise CursorUnknown
    return offset

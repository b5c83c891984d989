"""The one search: words and meaning over messages and documents, inside what the searcher may see."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.rag.errors import CursorUnknown
from apps.rag.selectors import passages
from apps.rag.selectors.filters import resolve
from apps.rag.selectors.ranking import Ranked, Reach, rank
from apps.rag.text.query import parse, parse_plain
from apps.rag.types import MOST_HITS, Filters, SearchResult, SourceType

Order = Literal["best", "newest"]
LARGEST_LIMIT = 50


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
) -> SearchResult:
    """Return one page of what fits the query and the principal may read.

    An agent for a person finds what both may see. Words alone decide where the encoder does not answer in time, and
    the result says so.

    Args:
        query: words, "phrases", -exclusions and filters (`from: in: before: after: has: type: language:`).
        filters: narrow it further.
        limit: 1 to 50.
        cursor: of the page before.
        order: `newest` sorts what was found by its time.
        audience: principals who must be able to see each hit, too.
        collapse: one hit for each document, with the number of the others.
        grammar: False takes every part of the query as words, as in a question to an agent.

    Raises:
        PermissionMissing, CursorUnknown.
    """
    access.require(principal, "search.use")
    begun = time.perf_counter()
    offset = _offset(cursor)
    parsed = parse(query) if grammar else parse_plain(query)
    narrowed, chips = resolve(principal=principal, operators=parsed.operators, given=filters or Filters())
    ranking = rank(reach=reach_of(principal, audience), query=parsed, filters=narrowed)
    kept, more = _arrange(ranking.ranked, order=order, collapse=collapse)
    page = kept[offset : offset + max(1, min(limit, LARGEST_LIMIT))]
    found = passages.hits(principal=principal, ranked=page, query=parsed, more=more)
    following = offset + len(page)
    return SearchResult(
        hits=tuple(found),
        words_only=ranking.words_only,
        total_hint=max(ranking.found, len(kept)),
        next_cursor=_cursor(following) if following < len(kept) else "",
        took_ms=(time.perf_counter() - begun) * 1000,
        chips=tuple(chips),
        filters=narrowed,
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

"""What stands beside a passage, and whether it may still be read: for all readers at once, inside the statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db import connection

from apps.accounts.types import Principal
from apps.rag.selectors import passages
from apps.rag.selectors.anew import stored_anew
from apps.rag.selectors.ranking import Ranked, Reach
from apps.rag.text.query import parse_plain
from apps.rag.types import Hit

REACH: Final = 1  # passages before, and as many after
_AROUND: Final = (
    "SELECT anchor, chunk, distance FROM rag_around(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s)"
)
_NO_QUERY: Final = parse_plain("")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage beside one that was found; `distance` counts passages, below 0 before it."""

    anchor: int
    distance: int
    hit: Hit


def still_visible(*, reach: Reach, chunks: Sequence[int]) -> frozenset[int]:
    """Return those of the chunks that are in reach now. One statement."""
    return frozenset(chunk for _anchor, chunk, _distance in _around(reach, chunks, 0))


def kept(*, reach: Reach, hits: Sequence[Hit]) -> dict[int, int]:
    """Return by their chunk which of the hits' words are in reach now, and the chunk that holds them: another one where
    the passage was stored anew. Three statements at most.
    """
    asked = [hit.chunk for hit in hits if hit.chunk is not None]
    seen = still_visible(reach=reach, chunks=asked)
    found = {chunk: chunk for chunk in seen}
    if len(found) < len(asked):
        anew = stored_anew([hit for hit in hits if hit.chunk not in seen])
        seen = still_visible(reach=reach, chunks=list(anew.values()))
        found |= {before: chunk for before, chunk in anew.items() if chunk in seen}
    return found


def neighbours(*, principal: Principal, reach: Reach, hits: Sequence[Hit]) -> list[Neighbour]:
    """Return what stands beside the hits and is in reach, nearest first in the order of the hits; no passage twice,
    and none of the hits. Six statements at most.

    Args:
        principal: who reads.
    """
    found = {hit.chunk: hit for hit in hits if hit.chunk is not None}
    places: dict[int, tuple[int, int]] = {}
    order = {chunk: number for number, chunk in enumerate(found)}
    rows = sorted(
        _around(reach, list(found), REACH), key=lambda row: (order[row[0]], abs(row[2]), row[2], row[1])
    )
    for anchor, chunk, distance in rows:
        if chunk not in found:
            places.setdefault(chunk, (anchor, distance))
    ranked = [
        Ranked(
            chunk, 0.0, 0.0, None, found[anchor].source_type.value, found[anchor].source, found[anchor].time
        )
        for chunk, (anchor, _distance) in places.items()
    ]
    read = passages.hits(principal=principal, ranked=ranked, query=_NO_QUERY)
    return [
        Neighbour(*places[hit.chunk], replace(hit, score=found[places[hit.chunk][0]].score))
        for hit in read
        if hit.chunk is not None
    ]


def _around(reach: Reach, chunks: Sequence[int], beside: int) -> list[tuple[int, int, int]]:
    if not chunks:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _AROUND,
            [
                list(dict.fromkeys(reach.principals)),
                None if reach.scopes is None else sorted(reach.scopes),
                None if reach.classes is None else sorted(reach.classes),
                list(chunks),
                beside,
            ],
        )
        return [(int(anchor), int(chunk), int(distance)) for anchor, chunk, distance in cursor.fetchall()]

"""How much of what is asked stands in a passage, and how much of it close together.

A score of words adds up what each is worth wherever it stands. A passage that answers says most of the question within
a sentence or two; where words stand belongs to the vector of the text, so nothing is read but that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import connection

from apps.core import tenancy
from apps.core.database import arrays, planned

if TYPE_CHECKING:
    from apps.rag.selectors.ranking import Spellings

# Their share of a score. Chosen on mlqa-de-dev, like the two below; other values about them differ by less than chance.
SHARE: Final = 0.45
TOGETHER: Final = 25  # words from the first to the last
# Rows without a passage are the words that mean something in the language of the question and how rare each is; the
# others say where a word stands. One that begins with the same six letters counts 0.8: "Gericht" and "Gerichtshof".
_PLACES: Final = """
WITH asked AS MATERIALIZED (
  SELECT f.number, f.language, x.lexeme, max(f.weight) AS weight
  FROM unnest(%(numbers)s::int[], %(languages)s::text[], %(forms)s::text[], %(weights)s::real[])
    f (number, language, form, weight),
    unnest(tsvector_to_array(to_tsvector(rag_config(f.language), f.form))) x (lexeme)
  GROUP BY 1, 2, 3
)
SELECT NULL::bigint, a.number, greatest(0.1, ln((i.chunks + 1) / (max(coalesce(t.chunks, 0)) + 0.5))), NULL::int[]
FROM asked a
CROSS JOIN LATERAL (
  SELECT coalesce(max(i.chunks), 0) AS chunks FROM rag_indexstat i WHERE i.organization_id = %(organization)s
) i
LEFT JOIN LATERAL (
  SELECT t.chunks FROM rag_termstat t WHERE t.organization_id = %(organization)s AND t.term = a.lexeme OFFSET 0
) t ON true
WHERE a.language = %(language)s
GROUP BY a.number, i.chunks
UNION ALL
SELECT c.id, a.number, a.weight * CASE WHEN a.lexeme = x.lexeme THEN 1 ELSE 0.8 END, x.positions::int[]
FROM rag_chunk c CROSS JOIN LATERAL unnest(c.tsv) x (lexeme, positions, weights)
JOIN asked a ON left(a.lexeme, 6) = left(x.lexeme, 6) AND rag_config(a.language) = rag_config(c.language)
WHERE c.organization_id = %(organization)s AND c.id = ANY (%(chunks)s::bigint[])
  AND (a.lexeme = x.lexeme OR length(a.lexeme) >= 6)
"""


class _Place(NamedTuple):
    """Where a word that is asked for stands, and how surely it is meant."""

    position: int
    word: int
    weight: float


def closeness(chunks: Sequence[int], words: Spellings, *, language: str) -> dict[int, float]:
    """Return how much of the words each of the chunks holds, from 0 to 1: half for all of it, half for what stands
    together. Nothing where fewer than two words are asked for. At most one statement.

    Args:
        chunks: that the search statement has let through.
        language: of the question; words that say nothing in it do not count.
    """
    if not chunks or len(set(words.numbers)) < 2:
        return {}
    named = {
        "numbers": words.numbers, "languages": words.languages, "forms": words.forms, "weights": words.weights,
        "language": language, "organization": tenancy.current(), "chunks": arrays.written(chunks),
    }  # fmt: skip
    with connection.cursor() as cursor:
        planned.execute(cursor, _PLACES, named)
        rows = cursor.fetchall()
    worth = {word: float(rarity) for chunk, word, rarity, _ in rows if chunk is None}
    places: dict[int, list[_Place]] = {chunk: [] for chunk in chunks}
    for chunk, word, weight, positions in rows:
        if chunk is not None and word in worth:
            places[chunk] += [_Place(position, word, float(weight)) for position in positions]
    whole = 2 * sum(worth.values())
    return {
        chunk: (_held(found, worth) + max(_together(sorted(found), worth), default=0.0)) / whole
        for chunk, found in places.items()
        if whole
    }


def _together(places: Sequence[_Place], worth: dict[int, float]) -> Iterator[float]:
    """Yield what is held from each place on."""
    end = 0
    for start, first in enumerate(places):
        while end < len(places) and places[end].position - first.position <= TOGETHER:
            end += 1
        yield _held(places[start:end], worth)


def _held(places: Sequence[_Place], worth: dict[int, float]) -> float:
    """Return what the words at these places are worth, each once."""
    surest: dict[int, float] = {}
    for place in places:
        surest[place.word] = max(place.weight, surest.get(place.word, 0.0))
    return sum(worth[word] * weight for word, weight in surest.items())

"""What the best hits of a search say together and nobody asked for: words to be added to it.

They are offered and never looked for by themselves: such feedback finds more where many passages fit, and less where
one does. Of 200 questions for training, searched by words, the first word offered puts the right passage lower when it
is always added (MRR@10 0.851 and then 0.836 on squadshifts-wiki, 0.702 and 0.689 on mlqa-de-dev), and the best choice
puts it higher (0.861, 0.709). Hits agree where three of different sources share a rare word; these are offered.

A word comes from passages that the searcher reads on this page. How rare it is counts those of others, too; the order
of hits tells as much.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db import connection

from apps.accounts.types import Principal
from apps.core.database import planned
from apps.rag.selectors.ranking import LANGUAGES
from apps.rag.selectors.related import composed, is_offerable
from apps.rag.selectors.weakness import may_be_reworded
from apps.rag.text.folding import fold, forms
from apps.rag.text.query import ParsedQuery, parse, words_of
from apps.rag.types import MOST_RELATED, ExpansionKind, Hit, SearchResult

DEPTH: Final = 8  # hits that are looked at: the best ones
NEAR: Final = 0.5  # of the best score: what is far behind it was found for something else
ALIKE: Final = 0.5  # the cosine from which on a hit counts that holds no word of the query
AGREEING: Final = 3  # of them, of different sources, that hold a word
# What is rare: at most so many passages of the organization, or its share of them; the same as where a search looks for
# words that are alike. In a small organization most words are: it is also so many times as common among the hits.
RARE: Final = 20
RARE_SHARE: Final = 0.005
LIFT: Final = 5
_BEGINNING: Final = 3  # letters
# What the words of texts have for a stem, how many sources share it, and how many passages of the organization hold it;
# without the stems of what was asked. One row for each stem that enough of them share. Of a hyphenated word the whole
# counts. Both tables are asked by key, however large.
_SHARED: Final = """
WITH asked AS MATERIALIZED (
  SELECT DISTINCT x.lexeme FROM unnest(%(languages)s::text[], %(forms)s::text[]) f (language, form),
    unnest(tsvector_to_array(to_tsvector(rag_config(f.language), f.form))) x (lexeme)
), shared AS MATERIALIZED (
  SELECT x.lexeme, array_agg(s.nth) AS uses, count(DISTINCT s.source) AS sources
  FROM unnest(%(sources)s::int[], %(spoken)s::text[], %(words)s::text[]) WITH ORDINALITY s (source, language, word, nth)
  CROSS JOIN LATERAL (
    SELECT x.lexeme FROM unnest(tsvector_to_array(to_tsvector(rag_config(s.language), s.word))) x (lexeme)
    ORDER BY length(x.lexeme) DESC LIMIT 1
  ) x
  GROUP BY 1 HAVING count(DISTINCT s.source) >= %(least)s
)
SELECT w.uses, w.sources, coalesce(t.chunks, 0), i.chunks
FROM shared w
CROSS JOIN LATERAL (SELECT i.chunks FROM rag_indexstat i WHERE i.organization_id = %(organization)s OFFSET 0) i
LEFT JOIN LATERAL (
  SELECT t.chunks FROM rag_termstat t WHERE t.organization_id = %(organization)s AND t.term = w.lexeme OFFSET 0
) t ON true
WHERE NOT EXISTS (SELECT FROM asked a WHERE a.lexeme = w.lexeme)
"""


@dataclass(frozen=True, slots=True)
class _Use:
    """A word as a source writes it; `source` is a number."""

    source: int
    language: str
    word: str


def with_offer(principal: Principal, text: str, result: SearchResult) -> SearchResult:
    """Return a result, best first, with the words that its best hits share. At most one statement.

    Only the first page of a ranking by words has any: a list, an id and what stands in quotes are meant as they are.
    """
    room = MOST_RELATED - len(result.expanded_by(ExpansionKind.RELATED))
    query = parse(text)
    if not room or not may_be_reworded(result, query):
        return result
    begun = time.perf_counter()
    sources = _sources(result.hits)
    if len(sources) < AGREEING:
        return result
    words = _shared(principal.organization_id, sources, _asked(query, result))[:room]
    took_ms = (time.perf_counter() - begun) * 1000
    trace = replace(result.trace, stages=(*result.trace.stages, ("related", round(took_ms, 2))))
    return replace(result, related=words, took_ms=result.took_ms + took_ms, trace=trace)


def _sources(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Return the best hits by document, thread or message. What an agent wrote repeats others, and so does a copy."""
    sources: dict[UUID, list[Hit]] = {}
    texts: set[str] = set()
    enough = NEAR * max((hit.score for hit in hits), default=0.0)
    for hit in hits[:DEPTH]:
        text = " ".join(hit.text.casefold().split())
        is_meant = hit.words or (hit.meaning_score is not None and hit.meaning_score >= ALIKE)
        if is_meant and hit.score >= enough and not hit.is_generated and text not in texts:
            texts.add(text)
            sources.setdefault(hit.thread or hit.source, []).append(hit)
    return list(sources.values())


def _asked(query: ParsedQuery, result: SearchResult) -> list[str]:
    """Return the words that are none to add: asked for, left out, or of a name that narrows or signs."""
    texts = [
        *query.words,
        *query.excluded,
        *("-".join(pair) for run in query.runs for pair in pairwise(run)),
        *(one.term for one in result.expanded),
        *(one.label for one in result.chips),
        *(hit.author_name for hit in result.hits),
    ]
    return list(dict.fromkeys(word for text in texts for word in words_of(text)))


def _shared(
    organization_id: UUID, sources: Sequence[Sequence[Hit]], asked: Collection[str]
) -> tuple[str, ...]:
    """Return rare words that enough of the sources hold, the one that says most about them first."""
    said = {word.casefold() for word in asked}
    counts = Counter(
        _Use(number, hit.language, word)
        for number, hits in enumerate(sources)
        for hit in hits
        for word in words_of(composed(hit.text))
        if is_offerable(word) and word.casefold() not in said
    )
    uses = _sharing_a_beginning(list(counts))
    worth: dict[str, float] = {}
    for places, holding, counted, total in _stems(organization_id, uses, asked) if uses else ():
        chunks = max(counted, holding)  # they were counted a while ago
        if chunks <= max(RARE, RARE_SHARE * total) and LIFT * chunks * len(sources) <= holding * total:
            written: Counter[str] = Counter()
            for use in (uses[place - 1] for place in places):
                written[use.word] += counts[use]
            worth[_usual(written)] = holding * math.log(total / chunks)
    return tuple(sorted(worth, key=lambda word: (-worth[word], word)))


def _stems(
    organization_id: UUID, uses: Sequence[_Use], asked: Iterable[str]
) -> list[tuple[list[int], int, int, int]]:
    """Return, for each stem, which of the uses have it, from 1, how many sources and how many passages of how many."""
    given = [
        (language, form) for word in asked for language in LANGUAGES for form, _ in forms(word, language)
    ]
    with connection.cursor() as cursor:
        planned.execute(
            cursor,
            _SHARED,
            {
                "organization": organization_id,
                "languages": [language for language, _ in given],
                "forms": [form for _, form in given],
                "sources": [use.source for use in uses],
                "spoken": [use.language for use in uses],
                "words": [fold(use.word, use.language) for use in uses],
                "least": AGREEING,
            },
        )
        rows: list[tuple[list[int], int, int, int]] = cursor.fetchall()
    return rows


def _sharing_a_beginning(uses: Sequence[_Use]) -> list[_Use]:
    """Return those that can have a stem in common with others in enough sources: it begins as its words do."""
    beginnings = [fold(use.word, "").lower()[:_BEGINNING] for use in uses]
    sources: defaultdict[str, set[int]] = defaultdict(set)
    for use, beginning in zip(uses, beginnings, strict=True):
        sources[beginning].add(use.source)
    return [
        use for use, beginning in zip(uses, beginnings, strict=True) if len(sources[beginning]) >= AGREEING
    ]


def _usual(written: Counter[str]) -> str:
    """Return how a word is written most often; a capital at the beginning of a sentence is none of the word's."""
    return max(written, key=lambda word: (written[word], word.islower(), -len(word), word))

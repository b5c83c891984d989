"""Why a hit is where it is: which of its words fit which of the query, its places by words and by meaning, and the way
the search took.

Nothing here tells how common a word is: that counts passages the reader may not see, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db import connection

from apps.accounts.types import Principal
from apps.rag.errors import HitNotFound
from apps.rag.models import SearchThumb, SearchTrace
from apps.rag.selectors import passages
from apps.rag.selectors.anew import chunks_of_messages
from apps.rag.selectors.ranking import Ranked, Way, ways_to_write
from apps.rag.selectors.related import with_related
from apps.rag.selectors.suggestions import with_suggestions
from apps.rag.selectors.synonyms import with_synonyms
from apps.rag.selectors.traces import own_searches
from apps.rag.text.folding import fold
from apps.rag.text.query import ParsedQuery, parse, parse_plain
from apps.rag.text.snippets import Likeness, words_of
from apps.rag.types import (
    ExpansionKind,
    ExplainedHit,
    Explanation,
    Hit,
    SearchPath,
    SearchResult,
    Suggestion,
    WordMatch,
    WordMatchKind,
)

_PART: Final = 0.3  # what a part of a compound counts, as in the statement that ranks
_MOST_TITLE = 12  # words of a title
# Reads no table. Which ways to write a word of the query each word of a text is, by the same stemmers; a German word
# may also begin or end with it.
_MEANT = """
WITH asked AS MATERIALIZED (
  SELECT f.nth, f.language, x.lexeme FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY f (language, form, nth),
    unnest(tsvector_to_array(to_tsvector(rag_config(f.language), f.form))) x (lexeme)
)
SELECT said.nth, asked.nth, bool_or(asked.lexeme = x.lexeme)
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY said (language, word, nth),
  unnest(tsvector_to_array(to_tsvector(rag_config(said.language), said.word))) x (lexeme)
JOIN asked ON true
WHERE asked.language = said.language AND (asked.lexeme = x.lexeme OR (said.language = 'de' AND length(asked.lexeme) >= 4
  AND (starts_with(x.lexeme, asked.lexeme) OR right(x.lexeme, length(asked.lexeme)) = asked.lexeme)))
GROUP BY 1, 2
"""


def query_of(
    principal: Principal,
    text: str,
    *,
    has_grammar: bool,
    left_out: Sequence[str] = (),
    suggested: Sequence[Suggestion] = (),
    related: Sequence[str] = (),
) -> ParsedQuery:
    """Return what a search asked of texts, with the synonyms of this moment. One query.

    Args:
        left_out: synonyms and suggestions that were not looked for.
        suggested: what a language model said for words of it.
        related: words that the searcher added.
    """
    asked = texts_asked(text, has_grammar=has_grammar)
    query, expanded = with_synonyms(principal, asked, left_out=left_out)
    query, expanded = with_suggestions(query, expanded, suggested, left_out=left_out)
    query, _expanded = with_related(query, expanded, related)
    return query


def texts_asked(text: str, *, has_grammar: bool) -> ParsedQuery:
    """Return what a search asked of texts, without synonyms."""
    return parse(text) if has_grammar else parse_plain(text)


def explain(result: SearchResult, query: ParsedQuery) -> list[Explanation]:
    """Return why each hit of a page is there, in their order. One statement."""
    matches = _matches(result.hits, query)
    return [
        Explanation(
            rank=result.trace.offset + number + 1,
            path=result.trace.path,
            words=matches[number],
            score=hit.score,
            words_score=hit.words_score,
            meaning_score=hit.meaning_score,
            words_rank=hit.words_rank,
            meaning_rank=hit.meaning_rank,
        )
        for number, hit in enumerate(result.hits)
    ]


def explained_hit(principal: Principal, *, search_id: UUID, number: int) -> ExplainedHit:
    """Return one of the hits of an own search with why it was there, read with the rights of this moment.

    Args:
        number: on its page, from 1.

    Raises:
        HitNotFound: also when the search is somebody else's, or the hit may not be read any more.
    """
    trace = own_searches(principal).filter(pk=search_id).first()
    if trace is None or not 1 <= number <= len(trace.hits):
        raise HitNotFound
    query = query_of(
        principal,
        trace.query,
        has_grammar=trace.has_grammar,
        left_out=[one["term"] for one in trace.synonyms if not one["is_used"]],
        suggested=[
            Suggestion(one["text"], one["term"])
            for one in trace.synonyms
            if one.get("kind") == ExpansionKind.SUGGESTED
        ],
        related=[one["term"] for one in trace.synonyms if one.get("kind") == ExpansionKind.RELATED],
    )
    hit = _hit(principal, trace, number, query)
    if hit is None:
        raise HitNotFound
    (words,) = _matches([hit], query)
    thumb = SearchThumb.objects.filter(
        organization_id=principal.organization_id, trace_id=trace.pk, number=number
    ).first()
    return ExplainedHit(
        search_id=trace.pk,
        number=number,
        query=trace.query,
        hit=hit,
        is_good=None if thumb is None else thumb.is_good,
        counts=trace.counts,
        explanation=Explanation(
            rank=trace.skipped + number,
            path=SearchPath(trace.path),
            words=words,
            score=hit.score,
            words_score=hit.words_score,
            meaning_score=hit.meaning_score,
            words_rank=hit.words_rank,
            meaning_rank=hit.meaning_rank,
        ),
    )


def _hit(principal: Principal, trace: SearchTrace, number: int, query: ParsedQuery) -> Hit | None:
    kept = trace.hits[number - 1]
    chunk, source = kept["chunk"], UUID(kept["source"])
    if chunk is None:
        found = passages.message_hits(principal=principal, message_ids=[source], query=query)
    else:
        ranked = Ranked(
            chunk=chunk,
            score=kept["score"],
            words=kept["words"],
            cosine=kept["meaning"],
            source_type=kept["source_type"],
            source=source,
            time=trace.created_at,
            words_rank=kept["words_rank"],
            meaning_rank=kept["meaning_rank"],
        )
        found = passages.hits(principal=principal, ranked=[ranked], query=query)
        if not found and (anew := chunks_of_messages([source])):
            again = replace(ranked, chunk=anew[source])
            found = passages.hits(principal=principal, ranked=[again], query=query)
    return found[0] if found else None


def _matches(hits: Sequence[Hit], query: ParsedQuery) -> list[tuple[WordMatch, ...]]:
    """Return the words of each hit that fit the query, the strongest first; those of the title come last."""
    ways = list(ways_to_write(query))
    said = [
        (number, hit.language, word, in_title)
        for number, hit in enumerate(hits)
        for in_title, words in ((False, hit.words), (True, _title_words(hit, ways)))
        for word in map(str.lower, words)
    ]
    if not ways or not said:
        return [()] * len(hits)
    with connection.cursor() as cursor:
        cursor.execute(
            _MEANT,
            [
                [way.language for way in ways],
                [way.form for way in ways],
                [language for _number, language, _word, _in_title in said],
                [fold(word, language) for _number, language, word, _in_title in said],
            ],
        )
        meant: dict[int, WordMatch] = {}
        for nth, way, is_whole in cursor.fetchall():
            _number, _language, word, in_title = said[nth - 1]
            match = _match(word, ways[way - 1], is_whole=is_whole, in_title=in_title)
            if nth not in meant or match.weight > meant[nth].weight:
                meant[nth] = match
    found: list[list[WordMatch]] = [[] for _ in hits]
    for nth, (number, _language, _word, _in_title) in enumerate(said, 1):
        if nth in meant:
            found[number].append(meant[nth])
    return [tuple(sorted(one, key=lambda match: (match.in_title, -match.weight))) for one in found]


def _match(word: str, way: Way, *, is_whole: bool, in_title: bool) -> WordMatch:
    if way.kind is not None:
        kind = WordMatchKind(way.kind)
    elif not is_whole:
        kind = WordMatchKind.PART
    elif word.casefold() == way.asked.casefold():
        kind = WordMatchKind.WRITTEN
    else:
        kind = WordMatchKind.FORM
    return WordMatch(
        word=word,
        asked=way.asked,
        kind=kind,
        weight=round(way.weight * (1 if is_whole else _PART), 2),
        in_title=in_title,
    )


def _title_words(hit: Hit, ways: Sequence[Way]) -> list[str]:
    likeness = Likeness([way.form for way in ways if way.language == hit.language])
    title = re.sub(r"[_./\\]", " ", f"{hit.title} {hit.heading}")
    spans: Mapping[str, object] = words_of(title, hit.language, likeness)
    return list(spans)[:_MOST_TITLE]

"""The one statement that ranks: words and meaning together, over what all of some principals may see."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from apps.core.text.language import guess
from apps.elyza.services import encoder
from apps.elyza.types import QueryEmbedding
from apps.rag.selectors import closeness, reranking
from apps.rag.text.folding import forms
from apps.rag.text.query import ParsedQuery, words_of
from apps.rag.types import MOST_HITS, NO_TRACE, ExpansionKind, Filters, SearchPath, SourceType, Trace

LANGUAGES: Final = ("de", "en", "simple")
_WEIGHTS: Final = {
    # Somebody's word for it, not the searcher's: above a part of a compound (0.3) and a guessed spelling (0.6 at most),
    # below the word itself and its certain spellings (0.9).
    ExpansionKind.SYNONYM: 0.7,
    ExpansionKind.SUGGESTED: 0.5,  # which nobody here has agreed to
    ExpansionKind.RELATED: 0.5,  # which is something else than what was asked for
}
DEPTH: Final = 50  # of a ranking are put in order anew
_STAGES: Final = ("visible", "weighing", "words", "meaning")  # of the statement, in their order
_RANK: Final = (
    "SELECT chunk, score, words, cosine, source_type, source, moment, words_rank, meaning_rank, found, trace "
    "FROM rag_search(%s::uuid[], %s, %s::int[], %s::text[], %s::text[], %s::real[], %s::text[], %s::text[], %s, %s, "
    "%s::jsonb, %s, %s::uuid[], %s::text[], true)"
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose sight counts: what all of the principals see, within bounds.

    Attributes:
        scopes: a key or a view is bound to these; None is no bound.
        classes: the only classes of data that the searcher's circumstances reach, beside those of each one's role.
    """

    principals: tuple[UUID, ...]
    scopes: frozenset[UUID] | None = None
    classes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk and why it is where it is.

    Attributes:
        words: its share of the best hit's.
        cosine: None without vectors.
        words_rank, meaning_rank: its place by words alone and by meaning alone; None where it was not found so.
    """

    chunk: int
    score: float
    words: float
    cosine: float | None
    source_type: str
    source: UUID
    time: datetime
    words_rank: int | None = None
    meaning_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chunks from best to worst; `found` is how many hold a word of the query (at most 10,000)."""

    ranked: tuple[Ranked, ...]
    found: int
    words_only: bool
    trace: Trace = NO_TRACE


def rank(
    *,
    reach: Reach,
    query: ParsedQuery,
    filters: Filters,
    limit: int = MOST_HITS,
    by_meaning: bool = True,
) -> Ranking:
    """Return what is in reach of what fits the query, best first; newest first for filters alone. One statement, one
    question to the model process, and one statement to put the best in order.

    Args:
        by_meaning: False leaves the vectors out.
    """
    if filters.nothing or (query.is_empty and filters.is_empty):
        return Ranking((), 0, words_only=True)
    begun = time.perf_counter()
    embedding = _embedding(query) if by_meaning else QueryEmbedding(None)
    encoded = time.perf_counter()
    words, language = spellings(query), guess(query.text) or ""
    with connection.cursor() as cursor:
        cursor.execute(
            _RANK,
            [
                list(dict.fromkeys(reach.principals)),
                language,
                words.numbers,
                words.languages,
                words.forms,
                words.weights,
                list(query.phrases),
                list(query.excluded),
                None if embedding.vector is None else _text(embedding.vector.tolist()),
                embedding.model_version,
                _json(filters),
                limit,
                None if reach.scopes is None else sorted(reach.scopes),
                None if reach.classes is None else sorted(reach.classes),
            ],
        )
        rows = cursor.fetchall()
    answered = time.perf_counter()
    told = orjson.loads(rows.pop(0)[-1]) if rows and rows[0][0] is None else {}
    return Ranking(
        _reranked([Ranked(*row[:9]) for row in rows], embedding, words, language=language),
        int(rows[0][9]) if rows else 0,
        words_only=embedding.vector is None,
        trace=_trace(
            told,
            language=language,
            ranked=len(rows),
            encoding=encoded - begun,
            statement=answered - encoded,
        ),
    )


def _trace(
    told: Mapping[str, Any], *, language: str, ranked: int, encoding: float, statement: float
) -> Trace:
    """Return what the statement told of itself; nothing where nothing is visible. The times come in seconds."""
    stages = {name: told["stages"][name] for name in _STAGES if told}
    fusing = statement * 1000 - sum(stages.values())
    times = {"encoding": encoding * 1000, **stages, "fusing": max(0.0, fusing)}
    return Trace(
        path=SearchPath(told.get("path", SearchPath.NOTHING)),
        language=language,
        visible=min(told.get("visible", 0), told.get("most", 0)),
        is_more=told.get("visible", 0) > told.get("most", 0),
        with_words=told.get("with_words", 0),
        near=told.get("near", 0),
        candidates=told.get("candidates", 0),
        ranked=ranked,
        stages=tuple((name, round(took, 2)) for name, took in times.items()),
    )


def _reranked(
    ranked: Sequence[Ranked], embedding: QueryEmbedding, words: Spellings, *, language: str
) -> tuple[Ranked, ...]:
    """Return the best in their new order; one that is not looked at keeps its place among them.

    The model knows English words, so their tokens are compared one by one. Of German ones it sees parts, and the order
    was no better for it (nDCG@10 0.720 and 0.722 without on mlqa-de-dev, 0.743 and 0.733 on SciFact's claims for
    training). There it counts how close together the words of the question stand (0.736 and 0.720 without; on the
    claims 0.723 with and without).
    """
    if language == "de":
        return _by_closeness(ranked, words, language=language)
    return _by_tokens(ranked, embedding)


def _by_tokens(ranked: Sequence[Ranked], embedding: QueryEmbedding) -> tuple[Ranked, ...]:
    best = [one.chunk for one in ranked[:DEPTH] if one.cosine is not None]
    near = reranking.nearness(best, embedding)
    if not near:
        return tuple(ranked)
    share = reranking.SHARE
    scored = [
        replace(one, score=(1 - share) * one.score + share * near.get(one.chunk, 0.0)) for one in ranked
    ]
    ordered = iter(sorted((one for one in scored if one.chunk in near), key=lambda one: -one.score))
    return tuple(next(ordered) if one.chunk in near else one for one in scored)


def _by_closeness(ranked: Sequence[Ranked], words: Spellings, *, language: str) -> tuple[Ranked, ...]:
    """Return documents in the new order, each with the score of the place it takes: they stand among others.

    In a message everything stands together, and the one that says all of a question is where somebody else asked it.
    """
    looked = [one for one in ranked[:DEPTH] if one.source_type == SourceType.DOCUMENT]
    near = closeness.closeness([one.chunk for one in looked], words, language=language)
    if not near:
        return tuple(ranked)
    share = closeness.SHARE
    anew = sorted(looked, key=lambda one: -((1 - share) * one.score + share * near[one.chunk]))
    ordered = (replace(one, score=place.score) for one, place in zip(anew, looked, strict=True))
    return tuple(next(ordered) if one.chunk in near else one for one in ranked)


def _embedding(query: ParsedQuery) -> QueryEmbedding:
    return encoder.embed_query(text=query.text) if query.text else QueryEmbedding(None)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to write a word of the query, one of a synonym of it, or a related word, in texts of a language.

    Attributes:
        number: of the word in the query, from 0; `asked` is it. Related words are counted on behind them.
        weight: 1 as it is written, less for other spellings and for what stands beside the query.
        kind: of what stands beside the query; None is its own word.
    """

    number: int
    asked: str
    language: str
    form: str
    weight: float
    kind: ExpansionKind | None = None


@dataclass(frozen=True, slots=True)
class Spellings:
    """Each way to write each word of a query in each language, as columns: the word's number, and more."""

    numbers: list[int]
    languages: list[str]
    forms: list[str]
    weights: list[float]


def spellings(query: ParsedQuery) -> Spellings:
    """Return how the words of a query may be written in texts, as columns."""
    return _columns([(way.number, way.language, way.form, way.weight) for way in ways_to_write(query)])


def ways_to_write(query: ParsedQuery) -> Iterator[Way]:
    """Yield how the words of a query may be written in texts.

    A synonym is a further way to write the last of the words it stands for, which bears the meaning in German and
    English. One of several words shares its weight among them, so that all of them together count as one.
    """
    for number, word in enumerate(query.words):
        for language in LANGUAGES:
            for spelling, weight in forms(word, language):
                yield Way(number, word, language, spelling, weight)
    for one in query.synonyms:
        number = query.words.index(one.words[-1])
        for parts in map(words_of, one.terms):
            for language in filter(one.holds_for, LANGUAGES):
                for part in parts:
                    for spelling, weight in forms(part, language):
                        share = weight * _WEIGHTS[one.kind] / len(parts)
                        yield Way(number, one.words[-1], language, spelling, share, one.kind)
    for number, word in enumerate(query.related, len(query.words)):
        for language in LANGUAGES:
            for spelling, weight in forms(word, language):
                share = weight * _WEIGHTS[ExpansionKind.RELATED]
                yield Way(number, word, language, spelling, share, ExpansionKind.RELATED)


def demanded(query: ParsedQuery) -> Spellings:
    """Return how what a list demands may be written: each word, or one of its synonyms with all of its words.

    The first way to write something is the query's own.
    """
    said = {word for one in query.synonyms for word in one.words}
    rows = [
        (number, language, spelling, weight)
        for number, word in enumerate(query.words)
        if word not in said
        for language in LANGUAGES
        for spelling, weight in forms(word, language)
    ]
    rows += [
        (len(query.words) + number, language, spelling, weight)
        for number, one in enumerate(query.synonyms)
        for language in LANGUAGES
        for term in (" ".join(one.words), *(one.terms if one.holds_for(language) else ()))
        for spelling, weight in forms(term, language)
    ]
    return _columns(rows)


def _columns(rows: list[tuple[int, str, str, float]]) -> Spellings:
    return Spellings(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
    )


def _json(filters: Filters) -> str:
    given: dict[str, Any] = {
        "authors": filters.authors,
        "conversations": filters.conversations,
        "documents": filters.documents,
        "before": filters.before,
        "after": filters.after,
        "has_file": filters.has_file,
        "sources": filters.sources,
        "media_types": filters.media_types,
        "languages": filters.languages,
        "file_names": filters.file_names,
        "not_file_names": filters.not_file_names,
        "exclude_generated": filters.exclude_generated,
    }
    return orjson.dumps({name: value for name, value in given.items() if value}).decode()


def _text(vector: list[float]) -> str:
    return f"[{','.join(f'{number:.5g}' for number in vector)}]"

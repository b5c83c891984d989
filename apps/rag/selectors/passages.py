"""Ranked chunks as hits: read again with the rights of the searcher, named, and cut to what shows why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db import connection

from apps.accounts.selectors import people
from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import PersonView, Principal
from apps.chat.selectors.indexing import SpokenMessage, conversation_names, visible_spoken
from apps.core.database import planned
from apps.core.text.language import guess
from apps.rag.selectors.languages import default_language
from apps.rag.selectors.ranking import Ranked
from apps.rag.text import snippets
from apps.rag.text.folding import forms
from apps.rag.text.query import ParsedQuery
from apps.rag.types import GENERATED, Box, Hit, MessageSpan, SourceType, Span

Key = TypeVar("Key", int, UUID)
_MOST_WORDS = 6
_MATCHING = "SELECT language, word FROM rag_matching(%s::text[], %s::text[], %s::text[], %s::text[])"
# The columns are the fields of `_Chunk`. What the search statement decided about rights is decided again.
_CHUNKS = """
SELECT p.id, p.source_type, p.source_id, p.scope_id, p.conversation_id, p.thread_id, p.author_id, p.title, p.heading,
  p.body, p.page, p.char_start, p.char_end, p.boxes::text, p.language, p.media_type, p.is_generated, p.content_time,
  (SELECT jsonb_agg(jsonb_build_array(m.message_id, m.char_start, m.char_end, m.message_start)
     ORDER BY m.char_start, m.id)::text
   FROM rag_chunkmessage m WHERE m.organization_id = p.organization_id AND m.chunk_id = p.id)
FROM rag_chunk p WHERE p.organization_id = %(organization)s AND p.id = ANY(%(wanted)s) AND {visible}
""".format  # the clause is made of constants, values travel as parameters


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk as it is read; `boxes` and `messages` as JSON, `messages` None for one of a document."""

    id: int
    source_type: str
    source_id: UUID
    scope_id: UUID
    conversation_id: UUID | None
    thread_id: UUID | None
    author_id: UUID | None
    title: str
    heading: str
    body: str
    page: int | None
    char_start: int
    char_end: int
    boxes: str
    language: str
    media_type: str
    is_generated: bool
    content_time: datetime
    messages: str | None

    def spans(self) -> tuple[MessageSpan, ...]:
        """Return the messages that stand in it, in their order."""
        if self.messages is None:
            return ()
        return tuple(MessageSpan(UUID(message), *places) for message, *places in orjson.loads(self.messages))


def _visible_chunks(principal: Principal, ids: Sequence[int]) -> dict[int, _Chunk]:
    """Return those of the chunks that the principal may read now. One query."""
    visible = visible_scope_clause(principal, scope="p.scope_id", time="p.content_time", few=True)
    given: dict[str, Any] = {"organization": principal.organization_id, "wanted": list(ids)}
    with connection.cursor() as cursor:
        planned.execute(cursor, _CHUNKS(visible=visible.sql), {**visible.params, **given})
        return {row[0]: _Chunk(*row) for row in cursor.fetchall()}


def hits(
    *, principal: Principal, ranked: Sequence[Ranked], query: ParsedQuery, more: dict[int, int] | None = None
) -> list[Hit]:
    """Return the ranked chunks that the principal may read, in their order. Five queries for any number.

    Args:
        more: how many further hits each one stands for.
    """
    rows = _visible_chunks(principal, [one.chunk for one in ranked])
    if not rows:
        return []
    names = people.people({row.author_id for row in rows.values() if row.author_id})
    places = conversation_names(
        principal=principal,
        conversation_ids=list({row.conversation_id for row in rows.values() if row.conversation_id}),
    )
    texts = {row.id: (row.language, row.body) for row in rows.values()}
    words, matching = _matching(texts, query)
    found = []
    for one in ranked:
        row = rows.get(one.chunk)
        if row is None:
            continue
        found.append(
            _hit(
                row,
                one,
                author=names.get(row.author_id) if row.author_id else None,
                place=places.get(row.conversation_id, "") if row.conversation_id else "",
                marks=snippets.highlights(words.get(row.id, {}), matching.get(row.language, ())),
                more=(more or {}).get(row.id, 0),
            )
        )
    return found


def message_hits(*, principal: Principal, message_ids: Sequence[UUID], query: ParsedQuery) -> list[Hit]:
    """Return those of the messages that the principal may read, in their order. Five queries for any number."""
    found = {one.id: one for one in visible_spoken(principal=principal, message_ids=message_ids)}
    if not found:
        return []
    fallback = default_language(principal.organization_id)
    texts = {pk: (guess(one.body) or fallback, one.body) for pk, one in found.items()}
    words, matching = _matching(texts, query)
    names = people.people({one.sender_id for one in found.values()})
    places = conversation_names(
        principal=principal, conversation_ids=list({one.conversation_id for one in found.values()})
    )
    return [
        _message_hit(
            found[pk],
            language=texts[pk][0],
            author=names.get(found[pk].sender_id),
            place=places.get(found[pk].conversation_id, ""),
            marks=snippets.highlights(words.get(pk, {}), matching.get(texts[pk][0], ())),
        )
        for pk in message_ids
        if pk in found
    ]


def _message_hit(
    message: SpokenMessage, *, language: str, author: PersonView | None, place: str, marks: list[Span]
) -> Hit:
    window = snippets.window(message.body, marks)
    length = len(message.body)
    return Hit(
        chunk=None,
        source_type=SourceType.MESSAGE,
        source=message.id,
        scope=message.scope_id,
        conversation=message.conversation_id,
        conversation_name=place,
        title=", ".join(message.files),
        heading="",
        page=None,
        span=Span(0, length),
        boxes=(),
        text=message.body,
        snippet=message.body[window.start : window.end],
        snippet_start=window.start,
        highlights=_inside(marks, window),
        messages=(MessageSpan(message.id, 0, length, 0),),
        thread=message.thread_id,
        author=message.sender_id,
        author_name=author.name if author else "",
        face=author,
        time=message.sent_at,
        language=language,
        media_type="",
        is_generated=message.sender_kind in GENERATED,
        score=0.0,
        words_score=0.0,
        meaning_score=None,
        words=_words(message.body, marks),
    )


def _inside(marks: Sequence[Span], window: Span) -> tuple[Span, ...]:
    """Return the marks of a window, counted from its start."""
    return tuple(
        Span(mark.start - window.start, mark.end - window.start)
        for mark in marks
        if mark.start >= window.start and mark.end <= window.end
    )


def _words(text: str, marks: Sequence[Span]) -> tuple[str, ...]:
    """Return the different words, each as it is written first."""
    found: dict[str, str] = {}
    for mark in marks:
        written = text[mark.start : mark.end]
        found.setdefault(written.lower(), written)
    return tuple(found.values())[:_MOST_WORDS]


def _hit(
    row: _Chunk,
    one: Ranked,
    *,
    author: PersonView | None,
    place: str,
    marks: list[Span],
    more: int,
) -> Hit:
    window = snippets.window(row.body, marks)
    snippet = row.body[window.start : window.end]
    return Hit(
        chunk=row.id,
        source_type=SourceType(row.source_type),
        source=row.source_id,
        scope=row.scope_id,
        conversation=row.conversation_id,
        conversation_name=place,
        title=row.title,
        heading=row.heading,
        page=row.page,
        span=Span(row.char_start, row.char_end),
        boxes=tuple(Box(*box) for box in orjson.loads(row.boxes)),
        text=row.body,
        snippet=snippet,
        snippet_start=row.char_start + window.start,
        highlights=_inside(marks, window),
        messages=row.spans(),
        thread=row.thread_id,
        author=row.author_id,
        author_name=author.name if author else "",
        face=author,
        time=row.content_time,
        language=row.language,
        media_type=row.media_type,
        is_generated=row.is_generated,
        score=one.score,
        words_score=one.words,
        meaning_score=one.cosine,
        words=_words(row.body, marks),
        more_in_source=more,
        words_rank=one.words_rank,
        meaning_rank=one.meaning_rank,
    )


def _matching(
    texts: Mapping[Key, tuple[str, str]], query: ParsedQuery
) -> tuple[dict[Key, snippets.Words], dict[str, set[str]]]:
    """Return the words of (language, text) that may be meant, and for each language those that are. One statement."""
    if not query.words:
        return {}, {}
    asked = {
        language: [form for word in query.written_in(language) for form, _ in forms(word, language)]
        for language in {language for language, _ in texts.values()}
    }
    likeness = {language: snippets.Likeness(found) for language, found in asked.items()}
    words = {
        key: snippets.words_of(body, language, likeness[language]) for key, (language, body) in texts.items()
    }
    given = {(texts[key][0], word) for key, found in words.items() for word in found}
    return words, _stemmed_alike(given, asked) if given else {}


def _stemmed_alike(
    given: Collection[tuple[str, str]], asked: Mapping[str, Sequence[str]]
) -> dict[str, set[str]]:
    written = [(language, form) for language, found in asked.items() for form in found]
    with connection.cursor() as cursor:
        cursor.execute(
            _MATCHING,
            [
                [language for language, _ in given],
                [word for _, word in given],
                [language for language, _ in written],
                [form for _, form in written],
            ],
        )
        matching: dict[str, set[str]] = {}
        for language, word in cursor.fetchall():
            matching.setdefault(language, set()).add(word)
    return matching

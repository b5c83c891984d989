"""From sentences and model text to an answer with numbers that lead to sources."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.agents import presenting
from apps.agents.presenting import Claim
from apps.agents.types import SourceRef
from apps.llm.types import AnswerSentence, ExtractiveAnswer
from apps.rag.types import Hit, SourceType

_NUMBER = re.compile(r"\[(\d{1,2})\]")
# What could carry something outside, or call somebody: each goes, or leaves its words.
_CARRIERS = (
    (re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?"), ""),  # pictures
    (re.compile(r"^\s*\[[^\]]+\]:.*$", re.MULTILINE), ""),  # targets of reference links
    (re.compile(r"\[([^\]]+)\]\([^)]*\)?"), r"\1"),  # links
    (re.compile(r"\b[a-z][a-z0-9+.\-]*://\S*", re.IGNORECASE), ""),
    (re.compile(r"\b(?:mailto|data|javascript|tel|www\.)[:\w]\S*", re.IGNORECASE), ""),
    (re.compile(r"<([^<>\s]*)>"), r"\1"),  # addresses and tags in angle brackets
    (re.compile(r"(?<![\w.])@(?=[*\w])"), ""),  # mentions
)
_SURE = 0.5  # probability from which an exact answer of the right shape is marked in its sentence
_MOST_ROUNDS = 20  # taking one thing out may join another; whoever nests deeper loses the line


def place_of(hit: Hit) -> str:
    """Return where a hit stands, for people."""
    if hit.source_type == SourceType.DOCUMENT:
        return _("page %(page)s") % {"page": hit.page}
    return hit.conversation_name


def place_in(hit: Hit, start: int, end: int) -> dict[str, Any]:
    """Return where a part of a passage stands in its page or message, as citations have it.

    A passage may hold several messages: the part is cited in the one it begins in.
    """
    source, offset = hit.source, hit.span.start
    for part in hit.messages:
        if part.start <= start < part.end:
            source, offset = part.message, part.message_start - part.start
            end = min(end, part.end)
    return {
        "source_type": hit.source_type.value,
        "source": str(source),
        "page": hit.page,
        "start": start + offset,
        "end": end + offset,
    }


def source_of(number: int, hit: Hit, *, used: bool, start: int = 0, end: int | None = None) -> SourceRef:
    """Return a numbered source.

    Args:
        start, end: of the cited part in the passage's text; all of it without them.
    """
    place = place_in(hit, start, len(hit.text) if end is None else end)
    citation = {
        **place,
        "quote": hit.text[start : start + place["end"] - place["start"]],
        "boxes": [[box.x0, box.top, box.x1, box.bottom] for box in hit.boxes],
    }
    title = hit.title if hit.source_type == SourceType.DOCUMENT else hit.author_name
    return SourceRef(number, title, place_of(hit), citation, used)


def from_extract(
    extract: ExtractiveAnswer, hits: Sequence[Hit]
) -> tuple[str, list[SourceRef], list[tuple[int, int]]]:
    """Return text and sources of an extractive answer, and where in the text the exact answer stands if one is likely
    enough; nothing found names what comes nearest, never as an answer.
    """
    by_id = {str(hit.chunk): hit for hit in hits}
    sentences = extract.sentences if extract.found else extract.related
    sources = [
        source_of(
            number,
            by_id[sentence.passage_id],
            used=extract.found,
            start=sentence.start,
            end=sentence.end,
        )
        for number, sentence in enumerate(sentences, 1)
        if sentence.passage_id in by_id
    ]
    if not extract.found:
        return nothing(), sources, []
    text, marks = "", []
    for number, sentence in enumerate(sentences, 1):
        if number == 1:  # a second one often holds another number or name of the same shape
            marks += _marks(sentence, len(text))
        text += f"{_quoted(sentence.text)} [{number}] "
    return text.rstrip(), sources, marks


def _marks(sentence: AnswerSentence, offset: int) -> list[tuple[int, int]]:
    """Return where the exact answer stands once the sentence is on one line."""
    span = sentence.span
    if span is None or not span.fits or span.probability < _SURE:
        return []
    first = _on_one_line(sentence.text[: span.start - sentence.start])
    last = _on_one_line(sentence.text[: span.end - sentence.start])
    return [(offset + len(first), offset + len(last))]


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).lstrip()


def _quoted(text: str) -> str:
    """Return a sentence of a source on one line; a number in brackets of its own would look like one of ours."""
    return _NUMBER.sub(r"(\1)", " ".join(text.split()))


def from_model(text: str, known: Collection[int]) -> tuple[str, list[int]]:
    """Return cleaned text whose numbers count from 1, and which passage each of them is; a number without a passage
    is taken out.

    Pictures, links, addresses and mentions are taken out too: an answer carries nothing outside and calls nobody.
    """
    cleaned = harmless(text)
    used = [int(number) for number in dict.fromkeys(_NUMBER.findall(cleaned)) if int(number) in known]
    order = {old: new for new, old in enumerate(used, 1)}

    def renumber(match: re.Match[str]) -> str:
        new = order.get(int(match[1]))
        return f"[{new}]" if new else ""

    return _NUMBER.sub(renumber, cleaned), used


def harmless(text: str) -> str:
    """Return a model's text without anything that loads, leads outside or notifies."""
    for _round in range(_MOST_ROUNDS):
        cleaned = text
        for pattern, instead in _CARRIERS:
            cleaned = pattern.sub(instead, cleaned)
        if cleaned == text:
            return cleaned.strip()
        text = cleaned
    return _("The model wrote nothing that can be shown.")


def nothing() -> str:
    """Return what an answer says that found nothing."""
    return _("Your documents say nothing about this.")


def render(text: str, answer_id: object, claims: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the answer as HTML: escaped paragraphs, sentences with their numbers as buttons to the sources.

    Args:
        claims: what was found about its sentences; one that its sources don't say carries the word for it.
    """
    known = range(1, 100)
    return "".join(
        f"<p>{' '.join(_shown(claim, answer_id) for claim in part)}</p>\n"
        for part in presenting.paragraphs(text, known, claims)
    )


def _shown(claim: Claim, answer_id: object) -> str:
    numbers = "".join(
        f'<button class="cite" type="button" data-answer="{answer_id}" data-source="{number}">{number}</button>'
        for number in claim.numbers
    )
    text = html.escape(claim.text)
    if claim.support in ("", "supported"):
        return f"{text} {numbers}".rstrip()
    kind = "none" if claim.is_unsupported else "part"
    note = f'<span class="claim-note">{html.escape(presenting.badge(claim))}</span>'
    return f'<span class="claim claim--{kind}">{text} {numbers}</span> {note}'

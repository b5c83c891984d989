"""Whether a sentence of an answer stands in the passages it names: by its words, numbers, names and negations.

Rules that can be read, not a model: they say "unsupported" rather too often than too seldom. What a sentence merely
turns round with other words (grows for shrinks) they do not see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from apps.core.text.words import MONTHS
from apps.elyza.answering.features import Question, word_matches
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.words import Word, find_words
from apps.elyza.types import SplitPassage, Support, SupportDoubt, Vector

SUPPORTED_SHARE: Final = 0.72  # of a sentence's weight that its passages say
PARTLY_SHARE: Final = 0.42
_COMMON: Final = 0.35  # words below this rarity carry no meaning
_NEAR: Final = 0.5  # likeness from which a word counts as said
_LIKE_A_SENTENCE: Final = 0.72  # cosine from which two sentences say about the same
_LIKE_A_TOPIC: Final = 0.5
_MOST_SENTENCES: Final = 200  # of a passage
_NUMBER: Final = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,:’']\d+)*")
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,’' \u00a0\u202f]\d{3})+")
_DATE: Final = re.compile(r"\d+[.:]\d+[.:]\d+")
_ITEM: Final = re.compile(
    rf"^\s*\d{{1,2}}[.)]\s+(?!(?i:{'|'.join(sorted(MONTHS))})\b)"
)  # of a list, not a German day
_SPELLED: Final = {
    word: str(number)
    for number, words in enumerate(
        (
            (), (), ("two", "zwei"), ("three", "drei"), ("four", "vier"), ("five", "fünf"), ("six", "sechs"),
            ("seven", "sieben"), ("eight", "acht"), ("nine", "neun"), ("ten", "zehn"), ("eleven", "elf"),
            ("twelve", "zwölf"),
        )
    )
    for word in words
}  # fmt: skip
_NEGATION: Final = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|nicht|nie|niemals|niemand|nichts|ohne|weder|"
    r"keine?|kein(?:e[mnrs]))\b|n['’]t\b",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(r"\b(?:Herrn?|Frau|Dr|Prof|Mr|Mrs|Ms|Sir)\.?\s+$")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules found.

    Attributes:
        evidence: for each passage the number of the sentence that comes nearest; None where none comes near.
        doubts: what speaks against it, the gravest first; empty of a supported one.
    """

    support: Support
    doubts: tuple[SupportDoubt, ...]
    evidence: tuple[int | None, ...]


def check(
    sentence: str,
    passages: Sequence[SplitPassage],
    *,
    language: str,
    ranker: Ranker,
    likeness: float | None = None,
) -> Checked:
    """Return whether the passages together say what the sentence says.

    Args:
        likeness: cosine of the sentence and the nearest sentence of the passages, where an encoder was asked; it can
            make up for other words, never for a number, a name or a negation.
    """
    if not any(passage.sentences for passage in passages):
        return Checked(Support.UNSUPPORTED, (SupportDoubt.NO_SOURCE,), (None,) * len(passages))
    texts = [
        [passage.text[span.start : span.end] for span in passage.sentences[:_MOST_SENTENCES]]
        for passage in passages
    ]
    said = [
        next((n for n, text in enumerate(own) if _squeezed(text) == _squeezed(sentence)), None)
        for own in texts
    ]
    if any(place is not None for place in said):
        return Checked(Support.SUPPORTED, (), tuple(said))
    asked = Question.read(sentence, language=language, weight=partial(ranker.rarity, language=language))
    matches = [word_matches(asked, [find_words(text, language=language) for text in own]) for own in texts]
    shares = [(own * asked.weights).sum(axis=1) for own in matches]
    evidence = tuple(_nearest(own) for own in shares)
    found = [(shares[n][place], texts[n][place]) for n, place in enumerate(evidence) if place is not None]
    if not found:
        return Checked(Support.UNSUPPORTED, (SupportDoubt.WORDS,), evidence)
    heard = np.concatenate(matches).max(axis=0)
    nearest = max(found, key=lambda one: one[0])[1]
    doubts = _contradictions(sentence, asked.words, heard, texts, nearest, language=language)
    if doubts:
        return Checked(Support.UNSUPPORTED, doubts, evidence)
    heard[[word.text[0].isdigit() for word in asked.words]] = (
        1.0  # the numbers are there, however they are written
    )
    support = _by_words(asked, heard, ranker, language)
    if likeness is not None:
        support = _raised(support, likeness)
    return Checked(support, () if support == Support.SUPPORTED else (SupportDoubt.WORDS,), evidence)


def _raised(support: Support, likeness: float) -> Support:
    if likeness >= _LIKE_A_SENTENCE and support == Support.PARTLY:
        return Support.SUPPORTED
    if likeness >= _LIKE_A_TOPIC and support == Support.UNSUPPORTED:
        return Support.PARTLY
    return support


def _by_words(asked: Question, heard: Vector, ranker: Ranker, language: str) -> Support:
    heavy = [
        (weight, matched >= _NEAR)
        for word, weight, matched in zip(asked.words, asked.weights.tolist(), heard.tolist(), strict=True)
        if ranker.rarity(word.stem, language) >= _COMMON
    ]
    whole = sum(weight for weight, _ in heavy)
    if not whole:  # nothing but common words: they all have to be there
        return Support.SUPPORTED if heard.min(initial=1.0) >= _NEAR else Support.UNSUPPORTED
    share = sum(weight for weight, is_heard in heavy if is_heard) / whole
    if share >= SUPPORTED_SHARE:
        return Support.SUPPORTED
    return Support.PARTLY if share >= PARTLY_SHARE else Support.UNSUPPORTED


def _contradictions(
    sentence: str,
    words: Sequence[Word],
    heard: Vector,
    texts: Sequence[Sequence[str]],
    nearest: str,
    *,
    language: str,
) -> tuple[SupportDoubt, ...]:
    everything = "\n".join(text for own in texts for text in own)
    found = []
    if not numbers(_ITEM.sub("", sentence)) <= numbers(everything):
        found.append(SupportDoubt.NUMBER)
    names = _names(sentence, words, language)
    if any(heard[index] < 1 and words[index].text not in everything for index in names):
        found.append(SupportDoubt.NAME)
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(nearest)):
        found.append(SupportDoubt.NEGATION)
    return tuple(found)


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text without what groups their digits; small ones that are written as words, too."""
    found = {_SPELLED[word] for word in re.findall(r"\w+", text.casefold()) if word in _SPELLED}
    for match in _NUMBER.findall(text):
        found.add(_plain(match))
        if _DATE.fullmatch(match):  # its day, month and year
            found |= {str(int(part)) for part in re.findall(r"\d+", match)}
    return frozenset(found)


def _plain(number: str) -> str:
    """12.000, 12,000 and 12 000 are one number; 1.5 and 1,5 are another, and 03 is 3."""
    if _GROUPED.fullmatch(number):
        return re.sub(r"\D", "", number)
    plain = re.sub(r"[,:’']", ".", number)
    return plain if "." in plain else str(int(plain))


def _names(sentence: str, words: Sequence[Word], language: str) -> set[int]:
    """Return which of the words are names: in English any with a capital letter inside a sentence; in German, where
    nouns have one too, those after a title, two side by side, and those with capital letters or digits inside.
    """
    capital = [word.text[0].isupper() and word.span.start > 0 for word in words]
    found = set()
    for index, word in enumerate(words):
        is_code = any(one.isupper() for one in word.text[1:]) or (
            word.text[0].isalpha() and word.text[-1].isdigit()
        )
        if is_code or _TITLE.search(sentence[: word.span.start]):
            found.add(index)
        elif capital[index] and language != "de":
            if len(word.text) > 1 and not _opens(sentence, word.span.start):
                found.add(index)
        elif capital[index]:
            beside = (
                index + 1 < len(words)
                and capital[index + 1]
                and words[index + 1].span.start == word.span.end + 1
            )
            if beside:
                found |= {index, index + 1}
    return found


def _opens(sentence: str, start: int) -> bool:
    before = sentence[:start].rstrip(" \"'„“»«(*-")
    return not before or before[-1] in ".:!?"


def _nearest(share: Vector) -> int | None:
    """Return the number of the sentence that says most of it; None where none says anything."""
    best = int(np.argmax(share)) if len(share) else 0
    return best if len(share) and share[best] > 0 else None


def _squeezed(text: str) -> str:
    return " ".join(text.split())

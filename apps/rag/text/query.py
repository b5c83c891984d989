"""The grammar of the search box: words, "phrases", -exclusions and filters such as `from:anna in:allgemein`."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 1000
MOST_WORDS: Final = 32
MOST_PHRASES: Final = 6
MOST_OPERATORS: Final = 12

# German words beside the English ones; the first is the name in the code.
_NAMES: Final = {
    "from": "from", "von": "from", "in": "in", "before": "before", "vor": "before", "after": "after", "nach": "after",
    "has": "has", "mit": "has", "type": "type", "typ": "type", "language": "language", "sprache": "language",
}  # fmt: skip
_PART = re.compile(
    r"""(?P<minus>-)?(?:(?P<name>[A-Za-z]+):(?=["\w@#]))?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))"""
)
_EDGES: Final = " \t\r\n.,;:!?()[]{}<>*_~`'’‘“”„«»|/\\"
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class Operator:
    """A filter as it was written: `name` in English, `text` as in the query."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query in its parts.

    Attributes:
        words: without the excluded ones, each once, in order; the words of phrases too.
        phrases, excluded: must, and must not, stand in a passage.
        text: what is asked for, without filters and exclusions: for the encoder.
    """

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    operators: tuple[Operator, ...]
    text: str

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is asked for at all."""
        return not (self.words or self.phrases or self.excluded or self.operators)


def parse(query: str) -> ParsedQuery:
    """Return the parts of a query; every text is a query, at most the first 1,000 characters count."""
    words: dict[str, None] = {}
    phrases: list[str] = []
    excluded: list[str] = []
    operators: list[Operator] = []
    asked: list[str] = []
    for part in _PART.finditer(_clean(query)):
        name = _NAMES.get((part["name"] or "").lower())
        value = (part["quoted"] if part["quoted"] is not None else part["bare"]).strip()
        if part["name"] and name is None and not part["minus"]:
            value = f"{part['name']}:{value}"  # "error:404", "https://..." are words
        if name and value and not part["minus"]:
            operators.append(Operator(name, value, part.group()))
        elif part["minus"]:
            excluded.append(value.strip(_EDGES))
        elif part["quoted"] is not None:
            phrases.append(value)
            asked.append(value)
            words.update(dict.fromkeys(_words(value)))
        else:
            asked.append(value)
            words.update(dict.fromkeys(_words(value)))
    return ParsedQuery(
        words=tuple(words)[:MOST_WORDS],
        phrases=tuple(phrase for phrase in phrases if phrase)[:MOST_PHRASES],
        excluded=tuple(word for word in excluded if word)[:MOST_PHRASES],
        operators=tuple(operators)[:MOST_OPERATORS],
        text=" ".join(asked).strip(),
    )


def parse_plain(text: str) -> ParsedQuery:
    """Return a text, such as a question to an agent, as words: nothing in it is a filter or an exclusion."""
    cleaned = _clean(text)
    words = tuple(dict.fromkeys(_words(cleaned.replace('"', " "))))
    return ParsedQuery(words[:MOST_WORDS], (), (), (), " ".join(cleaned.split()))


def read_day(value: str, *, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """Return the first day a date means and the first day after it: `2026`, `2026-03`, `2026-03-12`, `12.3.2026`,
    `today`, `yesterday`, `heute`, `gestern`; None for anything else."""
    named = {"today": 0, "heute": 0, "yesterday": 1, "gestern": 1}.get(value.lower())
    try:
        if named is not None:
            return _one_day(today - dt.timedelta(days=named))
        if german := _GERMAN_DAY.fullmatch(value):
            return _one_day(dt.date(int(german[3]), int(german[2]), int(german[1])))
        written = _DAY.fullmatch(value)
        return _stretch(int(written[1]), written[2], written[3]) if written else None
    except (ValueError, OverflowError):
        return None


def _stretch(year: int, month: str | None, day: str | None) -> tuple[dt.date, dt.date]:
    first = dt.date(year, int(month or 1), int(day or 1))
    if day:
        return _one_day(first)
    if month:
        return first, dt.date(year + first.month // 12, first.month % 12 + 1, 1)
    return first, dt.date(year + 1, 1, 1)


def _one_day(day: dt.date) -> tuple[dt.date, dt.date]:
    return day, day + dt.timedelta(days=1)


def _clean(query: str) -> str:
    return query.replace("\x00", " ").encode("utf-8", "replace").decode()[:MOST_CHARACTERS]


def _words(value: str) -> list[str]:
    return [word for piece in value.split() if (word := piece.strip(_EDGES))]

"""Whether a part of a sentence has the shape that a question asks for: a number for "how many", a time for "when".

Rules that can be read, in German and English. What has the shape need not be the answer; what lacks it is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apps.core.text.words import MONTHS
from apps.elyza.answering.shape_words import (
    ABOUT,
    BEFORE_COUNTS,
    CLOCK,
    DAYS,
    EACH,
    MONEY,
    NAMED_TIMES,
    OFTEN,
    OTHER_UNITS,
    PLACED,
    ROLE,
    SMALL_NUMBERS,
    SOME,
    TIME_UNITS,
    TIMES,
    TITLES,
    WITHIN,
)
from apps.elyza.answering.words import Word, likeness, stem_of

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


_FRONT: Final = r"^\W*(?:(?:{0})\s+)?"
_BEFORE_ASKED: Final = (
    r"by|since|until|till|from|at|in|on|to|for|with|of|about|under|per|up\sto|"
    r"bis|seit|ab|von|um|zu|mit|für|auf|an|bei|aus|nach|unter|in|wegen"
)
_HEAD: Final = _FRONT.format(_BEFORE_ASKED)
_WHICH: Final = r"(?:what|which|welche[mnrs]?|welch)"


def _asking(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ASKED: Final = {
    "often": _asking(
        r"\b(?:how (?:often|frequently|regularly)|wie (?:oft|häufig|regelmäßig))\b|"
        rf"\b{_WHICH} (?:intervals?|abst(?:and|ä?nden?|ände)|rhythmus|turnus|intervall(?:en?)?)\b"
    ),
    "money": _asking(
        r"\bhow (?:expensive)\b|\bwie teuer\b|\b(?:cost|costs|kostet|kosten)\s*(?:\?|$)|\bwas kostet\b|"
        r"\bwie ?viel (?:kostet|kosten|geld|euro)\b|\bhow much (?:does|do|did|is|are) .*\b(?:cost|paid|pay)\b|"
        rf"\b{_WHICH} (?:amount|price|fee|fine|sum|surcharge|allowance|rate|betrag|preis|gebühr|summe|zuschlag|"
        r"tagessatz|pauschale|budget)\b"
    ),
    "time": _asking(
        rf"{_HEAD}when\b|\bwann\b|\bwie ?viel uhr\b|\b{_WHICH} (?:time|hour|year|date|day|weekday|month|century|decade|"
        r"uhrzeit|jahr|datum|tag|wochentag|monat|jahrhundert|termin)\b"
    ),
    "duration": _asking(
        rf"\bhow (?:long|quickly|soon)\b|\bwie (?:lange|schnell|rasch|bald)\b|\b{_WHICH} (?:frist|dauer|deadline)\b"
    ),
    "count": _asking(r"\bhow many\b|\bwie ?viele[nrsm]?\b|\bwie ?viel (?:liter|prozent|kilo|meter|tonnen)"),
    "measure": _asking(
        r"\bhow (?:much|old|far|high|tall|deep|wide|large|big|heavy|fast|warm|hot|cold|thick)\b|"
        r"\bwie ?viel\b|\bwie (?:alt|weit|hoch|groß|tief|breit|schwer|warm|heiß|kalt|dick|lang|stark)\b|"
        rf"\b{_WHICH} (?:temperature|wind|speed|pressure|depth|height|weight|distance|limit|percentage|"
        r"temperatur|windgeschwindigkeit|windstärke|geschwindigkeit|druck|tiefe|höhe|gewicht|entfernung|grenzwert|anteil)"
        r"\b"
    ),
    "person": _asking(rf"{_HEAD}(?:who|whom|wer|wem|wen)\b|\b(?:wem|wen|wer)\b"),
    "place": _asking(
        rf"{_HEAD}where\b|\b(?:wo|woher|wohin)\b|\b{_WHICH} (?:city|country|state|region|place|town|room|building|"
        r"floor|stadt|land|ort|raum|gebäude|stockwerk|etage)\b"
    ),
    "reason": _asking(r"\b(?:why|how come|warum|wieso|weshalb|wodurch|wozu)\b"),
    "named": _asking(
        r"\b(?:which|welche[mnrs]?|what (?!(?:is|are|was|were|be|do|does|did|has|have|had|can|could|will|would|shall|"
        r"should|may|might|must|happen\w*|causes?|makes?|if)\b)"
        r"(?=\w+ (?:is|are|was|were|do|does|did|has|have|had|can|will|of)\b))"
        r"\s*(?P<focus>[^\W\d_]{3,})"
    ),
}
SHAPES: Final = ("often", "money", "time", "duration", "count", "measure", "person", "place", "named")
_COUNTED: Final = _asking(r"\b(?:how many|wie ?viele?[nrsm]?)\s+(?P<focus>[^\W\d_]{3,})")
YEAR: Final = re.compile(r"1\d{3}|20\d{2}")
_SIGN_BEHIND: Final = re.compile(r"\s?[%€$£°‰]")
_MONEY_BEHIND: Final = re.compile(r"\s?[€$£]")
SIGN_BEFORE: Final = re.compile(r"[$£€]\s?$")
_SAME: Final = 0.75  # likeness from which a word is the one that is asked for


def shape_of(question: str) -> str:
    """Return the shape of an answer, one of `SHAPES`, or nothing where it may look like anything."""
    found = next((shape for shape, asked in _ASKED.items() if asked.search(question)), "")
    return found if found in SHAPES else ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What each word of a sentence is."""

    carries: Flags  # it may begin or end an answer however common it is
    number: Flags  # that counts something: no label ("tower 7")
    any_number: Flags
    unit: Flags
    time_unit: Flags
    money: Flags
    often: Flags
    each: Flags
    moment: Flags  # belongs to a point in time
    within: Flags
    capital: Flags
    title: Flags
    role: Flags
    placed: Flags
    light: Flags
    focus: Flags
    noun: Flags
    about: Flags


class Shapes:
    """The words of a sentence, looked at for one question."""

    def __init__(
        self, question: str, words: Sequence[Word], gaps: Sequence[str], *, language: str, light: Flags
    ) -> None:
        self.wanted = shape_of(question)
        self._language = language
        self._seen = _look(question, words, gaps, language, light)
        self.carries = self._seen.carries | ((self._seen.often | self._seen.each) & (self.wanted == "often"))

    def fit(self, first: Places, last: Places) -> Flags:
        """Return for each part, from its first to its last word, whether it has the shape, if one is wanted."""
        rules: dict[str, Callable[[Places, Places], Flags]] = {
            "often": self._often, "money": self._money, "time": self._time, "duration": self._duration,
            "count": self._counted, "measure": self._measure, "person": self._person, "place": self._place,
            "named": self._named,
        }  # fmt: skip
        return rules[self.wanted](first, last) if self.wanted else np.zeros(len(first), bool)

    def _some(self, flags: Flags, first: Places, last: Places) -> Flags:
        return self._number_of(flags, first, last) > 0

    def _number_of(self, flags: Flags, first: Places, last: Places) -> Places:
        sums = np.concatenate([[0], np.cumsum(flags)])
        return np.asarray(sums[last + 1] - sums[first])

    def _left(self, flags: Flags, first: Places) -> Flags:
        return np.asarray(flags[np.maximum(first - 1, 0)] & (first > 0))

    def _plain(self, first: Places, last: Places, *, strange: int = 0) -> Flags:
        """It is made of numbers, units, times and nouns, begins with none of the last and ends with no small word."""
        seen = self._seen
        begins = (
            seen.any_number | seen.about | seen.each | seen.often | seen.within | seen.moment | seen.time_unit
        )
        ends = seen.any_number | seen.unit | seen.noun | seen.often | seen.moment
        known = begins | ends
        return np.asarray(
            begins[first]
            & ends[last]
            & (self._number_of(~known, first, last) <= strange)
            & (self._number_of(seen.noun & ~begins & ~seen.unit, first, last) <= 2)
        )

    def _often(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        regular = seen.often | (seen.each & _next(seen.any_number | seen.time_unit))
        return self._some(regular, first, last) & self._plain(first, last, strange=1)

    def _money(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        paid = (seen.money | _next(seen.money)) & seen.any_number
        return self._some(paid, first, last) & self._plain(first, last)

    def _time(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        near = self._some(seen.within, first, last) | self._left(seen.within, first)
        relative = self._some(seen.time_unit, first, last) & near
        return (self._some(seen.moment, first, last) | relative) & self._plain(first, last, strange=1)

    def _duration(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        measured = (seen.unit & ~seen.moment & ~seen.money)[last]
        return measured & self._some(seen.any_number, first, last) & self._plain(first, last)

    def _counted(self, first: Places, last: Places) -> Flags:
        """Where a number stands right before the word asked for, it must be that one."""
        seen = self._seen
        right = seen.number & (_next(seen.focus) | _next(_next(seen.focus)))
        return self._some(right if right.any() else seen.number, first, last) & self._plain(
            first, last, strange=1
        )

    def _measure(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        measured = seen.number & (_next(seen.unit | seen.money) | seen.money | seen.unit)
        return self._some(measured, first, last) & self._plain(first, last)

    def _person(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        titled = self._left(seen.title, first) | seen.title[first]
        pair = self._some(seen.capital & _next(seen.capital), first, last) & (last > first)
        role = self._some(seen.role, first, last)
        named = (
            pair | titled | role if self._language == "de" else self._some(seen.capital, first, last) | role
        )
        strange = self._number_of(~(seen.capital | seen.title | seen.role | seen.light), first, last)
        wrong = self._some(seen.any_number | seen.moment | seen.unit, first, last) | self._left(
            seen.placed, first
        )
        fine = (strange == 0) | ((strange == 1) & seen.role[last] & (self._language != "de"))
        return np.asarray(named & fine & ~wrong & (seen.capital | seen.role)[last] & (last - first < 7))

    def _place(self, first: Places, last: Places) -> Flags:
        seen = self._seen
        behind_one = seen.placed | (seen.light & _previous(seen.placed))  # "in", "in the"
        placed = seen.placed[first] | self._left(behind_one, first)
        wrong = self._some(seen.moment | seen.time_unit | seen.often | seen.money, first, last)
        ends = (seen.noun | seen.capital | seen.any_number | ~seen.light)[last]
        return np.asarray(placed & ~wrong & ends & (last - first < 7))

    def _named(self, first: Places, last: Places) -> Flags:
        """It has the word that is asked for in it or beside it: "berth" and "5" for "which berth"."""
        seen = self._seen
        beside = self._left(seen.focus, first) | _next(seen.focus)[last]
        return np.asarray(
            (beside | self._some(seen.focus, first, last)) & (last - first < 5) & (last > first) | beside
        )


def _look(question: str, words: Sequence[Word], gaps: Sequence[str], language: str, light: Flags) -> _Seen:
    lower = [word.text.casefold() for word in words]
    texts = [word.text for word in words]

    def among(known: frozenset[str]) -> Flags:
        return np.array([text in known for text in lower], bool)

    def shaped(pattern: re.Pattern[str]) -> Flags:
        return np.array([bool(pattern.fullmatch(text)) for text in texts], bool)

    capital = np.array([text[0].isupper() for text in texts], bool)
    digits = np.array([text[0].isdigit() for text in texts], bool)
    sign_behind = np.array([bool(_SIGN_BEHIND.match(gap)) for gap in gaps[1:]], bool)
    sign_before = np.array([bool(SIGN_BEFORE.search(gap)) for gap in gaps[:-1]], bool)
    euro_behind = np.array([bool(_MONEY_BEHIND.match(gap)) for gap in gaps[1:]], bool)
    beside = np.array([gap.strip() == "" for gap in gaps[1:]], bool)  # nothing stands before the next word
    month, day, clock, time_unit = capital & among(MONTHS), among(DAYS), among(CLOCK), among(TIME_UNITS)
    any_number = digits | among(SMALL_NUMBERS) | (among(SOME) & _next(time_unit))
    counted = _previous(any_number) | _previous(_previous(any_number))
    unit = (
        time_unit
        | (counted & (among(OTHER_UNITS) | among(MONEY) | clock))
        | ((sign_behind | sign_before) & digits)
    )
    year = shaped(YEAR)
    dated = digits & (_next(month) | _previous(month)) | (
        year & (_previous(month) | ~_next(unit) & ~sign_behind)
    )
    timed = any_number & (_next(clock) | _next(_next(_next(clock))))
    moment = month | day | (clock & counted) | among(NAMED_TIMES) | dated | timed
    named = capital & beside & ~day & ~month & ~unit & ~among(BEFORE_COUNTS)
    named &= ~light | (language == "de")
    label = digits & _previous(named) & ~sign_behind & ~_next(unit) & ~dated
    asked = _COUNTED.search(question) or _ASKED["named"].search(question)
    stem = stem_of(asked["focus"], language) if asked else ""
    focus = np.array([bool(stem) and likeness(word.stem, stem) >= _SAME for word in words], bool)
    plural = np.array([text.endswith("s") and len(text) > 3 for text in lower], bool)
    title = among(TITLES) & capital
    initials = np.array([len(text) > 1 and text.isupper() for text in texts], bool)
    carries = any_number | month | day | title | initials | (unit & counted)
    light = light & ~carries
    return _Seen(
        carries=carries,
        number=any_number & ~label & ~moment,
        any_number=any_number,
        unit=unit,
        time_unit=time_unit,
        money=among(MONEY) | ((euro_behind | sign_before) & any_number),
        often=among(OFTEN) | (among(TIMES) & _previous(any_number)),
        each=among(EACH),
        moment=moment,
        within=among(WITHIN),
        capital=capital & ~(day | month | time_unit),
        title=title,
        role=shaped(ROLE),
        placed=among(PLACED),
        light=light,
        focus=focus,
        noun=(capital if language == "de" else plural | capital | focus) & ~light,
        about=among(ABOUT),
    )


def _next(flags: Flags) -> Flags:
    """The flag of the word behind."""
    return np.concatenate([flags[1:], [False]])


def _previous(flags: Flags) -> Flags:
    """The flag of the word before."""
    return np.concatenate([[False], flags[:-1]])

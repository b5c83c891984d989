"""What a query says in plain words that an operator could say: "last week", "von Anna", "im März", "#einkauf".

Each is an offer and no more: whoever takes it finds it in the query, where it can be changed like every other operator.
German and English are read alike, whatever the language of the page.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from apps.accounts.selectors import people
from apps.accounts.types import PersonView, Principal
from apps.chat.selectors.search.grammar import Query, Term, write
from apps.chat.selectors.search.operators import OPERATORS, Reader

MOST_OFFERS: Final = 3
_MOST_NAMES: Final = 2  # that are looked up
_DATES: Final = frozenset({"on", "after", "before"})
_Days = tuple[dt.date, dt.date]  # the first one, and the first one after

_WEEKDAYS: Final = {
    name: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    )
    for number, name in enumerate(names.split())
} | {"sonnabend": 5}
_MONTHS: Final = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
    )
    for number, name in enumerate(names.split(), 1)
} | {"jänner": 1}
_NUMBERS: Final = {
    name: number
    for names in ("two three four five six seven", "zwei drei vier fünf sechs sieben")
    for number, name in enumerate(names.split(), 2)
}
_NAMED: Final = {
    "today": 0, "heute": 0, "yesterday": 1, "gestern": 1, "vorgestern": 2, "day before yesterday": 2,
}  # fmt: skip
_DAYS_AGO: Final = "|".join(sorted(_NAMED, key=len, reverse=True)).replace(" ", r"\ ")
_LAST: Final = r"(?:last|past|letzte[rnsm]?|vorige[rnsm]?|vergangene[rnsm]?)"
_THIS: Final = r"(?:this|diese[rnsm]?)"
_UNIT: Final = r"week|month|year|woche|monats?|jahr(?:es)?"
_UNITS: Final = r"days?|weeks?|months?|years?|tage?n?|wochen?|monate?n?|jahre?n?"
# What stands before a time: from it on, from before it, or within it.
_SIDE: Final = (
    r"(?:(?P<after>since|after|seit|ab|nach)|(?P<before>before|until|till|vor|bis)|(?P<within>on|in|during|of|am|im|vom)"
    r"(?:\ the)?(?:\ jahr)?)"
)
_TIME: Final = re.compile(
    rf"""(?<!\S)(?:{_SIDE}\ (?:dem\ |der\ |den\ |zum\ )?)?(?:
    (?P<named>{_DAYS_AGO})
    |(?P<last>{_LAST})\ (?:(?P<count>\d{{1,3}}|{"|".join(_NUMBERS)})\ (?P<units>{_UNITS})
        |(?P<last_unit>{_UNIT})|(?P<last_weekday>{"|".join(_WEEKDAYS)}))
    |{_THIS}\ (?P<this_unit>{_UNIT})
    |(?P<weekday>{"|".join(_WEEKDAYS)})
    |(?P<german>\d{{1,2}}\.\ ?\d{{1,2}}\.\ ?(?:19|20)\d\d)
    |(?P<iso>(?:19|20)\d\d-\d\d(?:-\d\d)?)
    |(?:(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?\ )?(?P<month>{"|".join(_MONTHS)})
        (?:\ (?P<day_after>\d{{1,2}})(?:st|nd|rd|th)?,?)?(?:\ (?P<of_year>(?:19|20)\d\d))?
    |(?P<year>(?:19|20)\d\d)
    )(?!\S)""",
    re.IGNORECASE | re.VERBOSE,
)
_PERSON: Final = re.compile(
    r"(?<!\S)(?:von|from|by)\ @?(?P<names>[^\W\d_][\w.'’-]+(?:\ [^\W\d_][\w.'’-]*){0,2})", re.IGNORECASE
)
_PLACE: Final = re.compile(
    r"(?<!\S)(?:(?:in|im|aus|from)\ )?(?:dem\ |the\ )?(?:#|(?:kanal|channel)\ #?)(?P<name>[\w.-]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SpokenFilter:
    """A part of a query, by its place, and the operators that say the same."""

    start: int
    end: int
    terms: tuple[Term, ...]

    @property
    def label(self) -> str:
        """Return the filters as their chips call them."""
        return ", ".join(str(OPERATORS[one.name].chip) % {"name": one.value} for one in self.terms)

    def instead(self, text: str) -> str:
        """Return the text with the operators in place of the words."""
        return " ".join(f"{text[: self.start]} {text[self.end :]} {write(self.terms)}".split())


def offers(principal: Principal, query: Query) -> list[SpokenFilter]:
    """Return what of the plain words of a query could be said by operators that it does not have, in their order.

    One query for each of at most two names, two where a channel is named.
    """
    plain = _plain(query)
    known = {term.name for term in query.terms}
    found: list[SpokenFilter] = []
    if not known & _DATES:
        found += _times(plain, today=timezone.localdate())
    if "from" not in known:
        found += _senders(principal, plain)
    if "in" not in known:
        found += _places(Reader(principal), plain)
    found.sort(key=lambda offer: offer.start)
    return found[:MOST_OFFERS]


def _plain(query: Query) -> str:
    """Return the text with something else in the places of phrases, operators and what is excluded."""
    letters = list(query.text)
    for term in query.terms:
        if term.kind != "word" or term.is_negated:
            letters[term.start : term.end] = "\n" * (term.end - term.start)
    return "".join(letters)


def _times(text: str, *, today: dt.date) -> Iterator[SpokenFilter]:
    """Yield the times of a text; a weekday, month or year says one only behind a word that makes it one."""
    for match in _TIME.finditer(text):
        is_clear = any(match[name] for name in ("named", "last", "this_unit", "german", "iso", "of_year"))
        is_bound = any(match[name] for name in ("after", "before", "within"))
        if not (is_clear or is_bound):
            continue
        try:
            first, after = _days(match, today)
        except (ValueError, OverflowError):
            continue  # the 31st of a short month is none
        terms = _said(first, after, is_after=bool(match["after"]), is_before=bool(match["before"]))
        yield SpokenFilter(match.start(), match.end(), terms)


def _said(first: dt.date, after: dt.date, *, is_after: bool, is_before: bool) -> tuple[Term, ...]:
    if is_after:
        return (Term("operator", first.isoformat(), "after"),)
    if is_before:
        return (Term("operator", first.isoformat(), "before"),)
    whole = _whole(first, after)
    if whole:
        return (Term("operator", whole, "on"),)
    if after > timezone.localdate() + dt.timedelta(days=1) or after == dt.date.max:
        return (Term("operator", first.isoformat(), "after"),)
    return (Term("operator", first.isoformat(), "after"), Term("operator", after.isoformat(), "before"))


def _whole(first: dt.date, after: dt.date) -> str:
    """Return how one day, month or year is written; nothing for other stretches."""
    if after == first + dt.timedelta(days=1):
        return first.isoformat()
    if first.day == 1 and after == _next_month(first):
        return f"{first:%Y-%m}"
    if (first.month, first.day) == (1, 1) and after == dt.date(first.year + 1, 1, 1):
        return f"{first:%Y}"
    return ""


def _days(match: re.Match[str], today: dt.date) -> _Days:
    """Return the days that a match means; ValueError for a date that there is not."""
    return _seen_from(match, today) or _on_the_calendar(match, today)


def _seen_from(match: re.Match[str], today: dt.date) -> _Days | None:
    """Return the days of a time that is said as seen from today; None for one that is not."""
    if match["named"]:
        return _one(today - dt.timedelta(days=_NAMED[match["named"].lower()]))
    if match["count"]:
        return _last(match["count"].lower(), match["units"].lower(), today)
    if unit := match["last_unit"]:
        first, _after = _unit(unit, today)
        return _unit(unit, first - dt.timedelta(days=1))
    if unit := match["this_unit"]:
        return _unit(unit, today)
    if name := match["weekday"] or match["last_weekday"]:
        back = (today.weekday() - _WEEKDAYS[name.lower()]) % 7
        return _one(today - dt.timedelta(days=back or (7 if match["last_weekday"] else 0)))
    return None


def _on_the_calendar(match: re.Match[str], today: dt.date) -> _Days:
    if match["german"]:
        day, month, year = map(int, match["german"].replace(" ", "").split("."))
        return _one(dt.date(year, month, day))
    if match["iso"]:
        year, month, *days = map(int, match["iso"].split("-"))
        return _one(dt.date(year, month, days[0])) if days else _month(year, month)
    if match["month"]:
        return _in_month(match, today)
    year = int(match["year"])
    return dt.date(year, 1, 1), dt.date(year + 1, 1, 1)


def _in_month(match: re.Match[str], today: dt.date) -> _Days:
    """Return a month or a day of it; without a year the latest that has begun."""
    month, day = _MONTHS[match["month"].lower()], match["day"] or match["day_after"]
    first = dt.date(int(match["of_year"] or today.year), month, int(day or 1))
    if not match["of_year"] and first > today:
        first = first.replace(year=first.year - 1)
    return _one(first) if day else _month(first.year, month)


def _last(count: str, unit: str, today: dt.date) -> _Days:
    """Return so many days, weeks, months or years up to today."""
    number = _NUMBERS.get(count) or int(count)
    steps: dict[str, Callable[[], dt.date]] = {
        "d": lambda: today - dt.timedelta(days=number),
        "t": lambda: today - dt.timedelta(days=number),
        "w": lambda: today - dt.timedelta(weeks=number),
        "m": lambda: _months_before(today, number),
        "y": lambda: _months_before(today, 12 * number),
        "j": lambda: _months_before(today, 12 * number),
    }
    return steps[unit[0]](), dt.date.max


def _unit(unit: str, day: dt.date) -> _Days:
    """Return the week, month or year a day is in."""
    match unit[0].lower():
        case "w":
            first = day - dt.timedelta(days=day.weekday())
            return first, first + dt.timedelta(weeks=1)
        case "m":
            return _month(day.year, day.month)
        case _:
            return dt.date(day.year, 1, 1), dt.date(day.year + 1, 1, 1)


def _one(day: dt.date) -> _Days:
    return day, day + dt.timedelta(days=1)


def _month(year: int, month: int) -> _Days:
    first = dt.date(year, month, 1)
    return first, _next_month(first)


def _next_month(first: dt.date) -> dt.date:
    return dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _months_before(day: dt.date, count: int) -> dt.date:
    months = day.year * 12 + day.month - 1 - count
    year, month = divmod(months, 12)
    last = (_next_month(dt.date(year, month + 1, 1)) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


def _senders(principal: Principal, text: str) -> Iterator[SpokenFilter]:
    """Yield the people whom a text names behind "von", "from" or "by", who are known to the principal."""
    for match in list(_PERSON.finditer(text))[:_MOST_NAMES]:
        words = match["names"].split(" ")
        if found := _named(people.find_by_name(principal=principal, prefix=words[0]), words):
            person, length = found
            end = match.start("names") + len(" ".join(words[:length]))
            yield SpokenFilter(match.start(), end, (Term("operator", person.name, "from"),))


def _named(found: list[PersonView], words: list[str]) -> tuple[PersonView, int] | None:
    """Return the one person that the words begin with, by the whole name or the first, and how many words it takes."""
    said = [word.casefold() for word in words]
    for length in range(len(said), 0, -1):
        fitting = [
            person
            for person in found
            if (parts := person.name.casefold().split()) == said[:length]
            or (length == 1 and parts[:1] == said[:1])
        ]
        if len(fitting) == 1:
            return fitting[0], length
    return None


def _places(reader: Reader, text: str) -> Iterator[SpokenFilter]:
    """Yield the channels that a text names, which the principal sees."""
    for match in list(_PLACE.finditer(text))[:1]:
        name = match["name"].casefold()
        for view in reader.seen:
            if view.kind == "channel" and view.name.casefold() == name:
                yield SpokenFilter(match.start(), match.end(), (Term("operator", view.name, "in"),))
                break

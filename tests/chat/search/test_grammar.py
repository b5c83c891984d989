"""The grammar of a search: any text is read in bounded time, and what is no operator is named with its place."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.chat.selectors.search.dates import read_day
from apps.chat.selectors.search.grammar import Query, Term, read, write

NAMES = {"from": "from", "von": "from", "in": "in", "has": "has", "dm-including": "dm-including"}


def parts(text: str) -> list[tuple[str, str, str, bool]]:
    return [(term.kind, term.name, term.value, term.is_negated) for term in read(text, NAMES).terms]


def test_words_phrases_operators_and_negations_are_told_apart() -> None:
    assert parts('plan "next week" -draft -"old one" von:"Maren Thiessen" -has:link dm-including:anna') == [
        ("word", "", "plan", False),
        ("phrase", "", "next week", False),
        ("word", "", "draft", True),
        ("phrase", "", "old one", True),
        ("operator", "from", "Maren Thiessen", False),
        ("operator", "has", "link", True),
        ("operator", "dm-including", "anna", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a?b=c",
        "error:404",
        "10:30",
        "C:\\temp",
        "note:",
        "Re: plan",
        "at:.5",
        "foo://bar",
        "a::b",
    ],
)
def test_what_only_looks_like_an_operator_is_a_word(text: str) -> None:
    found = read(text, NAMES)
    assert found.problems == () or text == "a::b"
    assert "operator" not in {term.kind for term in found.terms}


def test_places_are_those_of_the_text() -> None:
    text = 'a  -from:"x y"   "b"'
    assert [text[term.start : term.end] for term in read(text, NAMES).terms] == ["a", '-from:"x y"', '"b"']


def test_an_unknown_operator_is_named_with_its_place_and_what_could_be_meant() -> None:
    (problem,) = read("plan -form:anna later", NAMES).problems
    assert (problem.reason, problem.start, problem.end, problem.text) == (
        "unknown_operator",
        5,
        15,
        "-form:anna",
    )
    assert problem.suggestions == ("-from:anna", '-"form:anna"')
    (missing,) = read("plan from:", NAMES).problems
    assert (missing.reason, missing.start, missing.end) == ("value_missing", 5, 10)


def test_more_parts_than_anyone_writes_are_a_problem() -> None:
    found = read("a " * 60, NAMES)
    assert (len(found.terms), [problem.reason for problem in found.problems]) == (40, ["too_many"])


@pytest.mark.parametrize(
    "text",
    [
        'plan "next week" -draft von:"Maren Thiessen" -has:link', "", '"', "-", "- -", '""', "from:a-b", 'x"y"z',
        '𝒳 -"🙂 🙂" in:#ä', "\x00", "\ud800 x", "x" * 2000,
    ],
)  # fmt: skip
def test_what_is_written_again_is_read_the_same(text: str) -> None:
    def bare(query: Query) -> list[Term]:
        return [Term(term.kind, term.value, term.name, term.is_negated) for term in query.terms]

    once = read(text, NAMES)
    assert bare(read(write(once.terms), NAMES)) == bare(once)


@pytest.mark.parametrize(
    ("written", "first", "after"),
    [
        ("2026", "2026-01-01", "2027-01-01"), ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-02-28", "2026-02-28", "2026-03-01"), ("1.3.2026", "2026-03-01", "2026-03-02"),
        ("today", "2026-11-29", "2026-11-30"), ("gestern", "2026-11-28", "2026-11-29"),
    ],
)  # fmt: skip
def test_days_are_read(written: str, first: str, after: str) -> None:
    found = read_day(written, today=dt.date(2026, 11, 29))
    assert found == (dt.date.fromisoformat(first), dt.date.fromisoformat(after))


@pytest.mark.parametrize("written", ["2026-13", "2026-02-30", "soon", "31.2.2026", "9999-12-31", "²026", ""])
def test_what_is_no_day_is_none(written: str) -> None:
    assert read_day(written, today=dt.date(2026, 11, 29)) is None

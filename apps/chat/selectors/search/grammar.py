"""The grammar of a search: words, "phrases", operators such as `from:anna`, and `-` before what must not be.

Pure: which operators exist is told by the caller, what their values mean is none of its business. Every text can be
read; what is no operator, or one without a value, is named with its place. `write(read(text))` means the same as the
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from apps.chat.types import SearchProblem

MOST_CHARACTERS: Final = 1000
MOST_TERMS: Final = 40
Kind = Literal["word", "phrase", "operator"]

_TERM = re.compile(
    r"""(?P<minus>-)?(?:(?P<name>[^\W\d_]+(?:-[^\W\d_]+)*):(?!//))?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]*))"""
)
_PLAIN: Final = re.compile(r"[\d./,:\\]|$")  # what stands behind the colon of "error:404", a path or a time


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a query.

    Attributes:
        name: of an operator, in English; empty for words and phrases.
        start, end: its place in the text, minus sign and quotes included.
    """

    kind: Kind
    value: str
    name: str = ""
    is_negated: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A text in its parts; `text` is what was read, with which the places go."""

    text: str
    terms: tuple[Term, ...] = ()
    problems: tuple[SearchProblem, ...] = ()


def read(text: str, names: Mapping[str, str]) -> Query:
    """Return the parts of a text; its first 1,000 characters count.

    Args:
        names: every way to write an operator, in lower case, to its name. A name that is not among them is a problem,
            unless a number, a path or nothing stands behind it: `error:404` and `https://…` are words.
    """
    cleaned = clean(text)
    terms: list[Term] = []
    problems: list[SearchProblem] = []
    for match in _TERM.finditer(cleaned):
        if not match.group():
            continue
        if len(terms) == MOST_TERMS:
            problems.append(SearchProblem("too_many", match.start(), len(cleaned), cleaned[match.start() :]))
            break
        found = _term(match, names)
        if isinstance(found, SearchProblem):
            problems.append(found)
        elif found is not None:
            terms.append(found)
    return Query(cleaned, tuple(terms), tuple(problems))


def _term(match: re.Match[str], names: Mapping[str, str]) -> Term | SearchProblem | None:
    quoted = match["quoted"]
    value = (match["bare"] if quoted is None else quoted).strip()
    is_negated, (start, end) = bool(match["minus"]), match.span()
    if match["name"] and (name := names.get(match["name"].lower())):
        if not value:
            return SearchProblem("value_missing", start, end, match.group())
        return Term("operator", value, name, is_negated, start, end)
    if match["name"] and (quoted is not None or not _PLAIN.match(value)):
        return _unknown(match, names)
    if match["name"]:
        value = f"{match['name']}:{value}"
    if not value:
        return None
    return Term("word" if quoted is None else "phrase", value, "", is_negated, start, end)


def _unknown(match: re.Match[str], names: Mapping[str, str]) -> SearchProblem:
    written = match["name"].lower()
    rest = match.group()[len(match["minus"] or "") + len(written) :]
    close = dict.fromkeys(get_close_matches(written, list(names), n=4, cutoff=0.6))
    literal = '"{}"'.format(match.group().lstrip("-").replace('"', ""))
    minus = match["minus"] or ""
    suggestions = (*(f"{minus}{name}{rest}" for name in close), f"{minus}{literal}")
    return SearchProblem("unknown_operator", match.start(), match.end(), match.group(), suggestions)


def write(terms: Iterable[Term]) -> str:
    """Return terms as a text that is read as the same terms, operators under their English names."""
    return " ".join(_written(term) for term in terms)


def _written(term: Term) -> str:
    minus = "-" if term.is_negated else ""
    value = term.value.replace('"', "")
    is_quoted = term.kind == "phrase" or (term.kind == "operator" and bool(re.search(r"\s", value)))
    return f"{minus}{term.name + ':' if term.name else ''}" + (f'"{value}"' if is_quoted else value)


def clean(text: str) -> str:
    """Return a text that can be stored and compared: no NUL, no half characters, of bounded length."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()[:MOST_CHARACTERS]

"""Where a reader may jump by name. An app announces what it has in its `palette.py`; the palette asks all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.registry import AlreadyRegistered

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST = 6
MOST_LETTERS = 80
BEGINNING, WORD, PART, NOWHERE = range(4)  # where in a name stands what was typed, best first


@dataclass(frozen=True, kw_only=True)
class Target:
    """One place to jump to.

    Attributes:
        label: what it is found by and shown as.
        icon: a symbol of `static/icons.svg`.
        note: what it is, beside the label.
    """

    label: str
    url: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """What one source found, best first."""

    key: str
    title: str
    targets: tuple[Target, ...]


Find = Callable[[Any, str], Iterable[Target]]  # an accounts.Principal; core knows no type of accounts


@dataclass(frozen=True, kw_only=True)
class _Source:
    key: str
    title: str | _StrPromise
    find: Find
    order: int


_sources: dict[str, _Source] = {}


def register(key: str, title: str | _StrPromise, find: Find, *, order: int = 50) -> None:
    """Announce a source.

    Args:
        find: gets the principal and what was typed, and returns what that principal may open; it may return more than
            fits, all of it where the set is small.

    Raises:
        AlreadyRegistered.
    """
    if key in _sources:
        raise AlreadyRegistered(key)
    _sources[key] = _Source(key=key, title=title, find=find, order=order)


def find(principal: Any, typed: str) -> list[Group]:
    """Return what fits in each source, at most six of each: names that begin so before words that do, then the rest."""
    words = " ".join(typed.replace("\x00", "").split())[:MOST_LETTERS]
    groups = []
    for source in sorted(_sources.values(), key=lambda one: (one.order, one.key)):
        ranked = [(_rank(target, words), target) for target in source.find(principal, words)]
        fitting = sorted((pair for pair in ranked if pair[0] < NOWHERE), key=lambda pair: pair[0])
        if fitting:
            groups.append(Group(source.key, str(source.title), tuple(target for _, target in fitting[:MOST])))
    return groups


def fold(text: str) -> str:
    """Return a text without case and accents, so that `Müller` is found as `muller` too."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _rank(target: Target, words: str) -> int:
    label, needle = fold(target.label), fold(words)
    if label.startswith(needle):
        return BEGINNING
    if any(label.startswith(needle, at + 1) for at, letter in enumerate(label) if not letter.isalnum()):
        return WORD
    return PART if needle in label else NOWHERE

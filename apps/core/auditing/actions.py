"""Which acts the trail knows. An app declares its own in its `actions.py`, loaded at start-up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_NAME = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")


class UnknownAction(LookupError):
    """An act nobody declared is recorded: a programming error, never the caller's."""


@dataclass(frozen=True)
class Action:
    """A kind of act: `name` is in rows and stays for ever, `label` is for people."""

    name: str
    label: str | _StrPromise


_actions: dict[str, Action] = {}


def register_action(name: str, label: str | _StrPromise) -> str:
    """Declare an act and return its name.

    Args:
        name: `object.past_participle`, like `member.removed`.

    Raises:
        ValueError: malformed, or declared already.
    """
    if not _NAME.fullmatch(name) or name in _actions:
        raise ValueError(f"action {name!r} is malformed or declared already")
    _actions[name] = Action(name, label)
    return name


def declared() -> dict[str, Action]:
    """Return every declared act by name."""
    return dict(_actions)


def require_declared(name: str) -> None:
    """Refuse an act nobody declared.

    Raises:
        UnknownAction.
    """
    if name not in _actions:
        raise UnknownAction(name)


def label_of(name: str) -> str:
    """Return an act for people; the bare name of one whose app is gone."""
    return str(_actions[name].label) if name in _actions else name

"""Retention hooks: what an app deletes by its age, for each organization and never against a legal hold.

An app announces a rule in its `privacy.py`; `security` runs the rules once an hour and tells each what is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.core.data_subjects import Text
from apps.core.registry import AlreadyRegistered


@dataclass(frozen=True, kw_only=True)
class Held:
    """What must stay, whatever its age: data of these people, and everything in these conversations or other places.

    Attributes:
        people: ids of users.
        places: ids by the kind of hold target.
    """

    people: frozenset[UUID] = frozenset()
    places: frozenset[tuple[str, UUID]] = frozenset()

    def place_ids(self, kind: str) -> frozenset[UUID]:
        """Return the held places of one kind."""
        return frozenset(pk for held_kind, pk in self.places if held_kind == kind)


Remove = Callable[[UUID, datetime, Held], int]


@dataclass(frozen=True, kw_only=True)
class RetentionRule:
    """Something that ends by its age.

    Attributes:
        age: how long it is kept.
        remove: deletes one organization's rows from before a moment, except what is held; returns how many. It works
            in batches and opens its own transactions.
    """

    name: str
    label: Text
    age: timedelta
    remove: Remove


_rules: dict[str, RetentionRule] = {}


def register_retention(rule: RetentionRule) -> None:
    """Announce a rule.

    Raises:
        AlreadyRegistered.
    """
    if _rules.setdefault(rule.name, rule) is not rule:
        raise AlreadyRegistered(rule.name)


def retention_rules() -> list[RetentionRule]:
    """Return all rules, by name."""
    return [_rules[name] for name in sorted(_rules)]

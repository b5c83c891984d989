"""Feature flags: on for some, the same ones every time, known in this process for five seconds."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from uuid import UUID

from apps.core.models import FeatureFlag

KEPT_SECONDS = 5.0
_clock = time.monotonic


@dataclass(frozen=True)
class Rules:
    """One flag as it was read."""

    everyone: bool
    percentage: int
    organizations_on: frozenset[UUID]
    organizations_off: frozenset[UUID]
    people_on: frozenset[UUID]
    people_off: frozenset[UUID]


class _Kept:
    """All flags, read together at most every five seconds."""

    def __init__(self) -> None:
        self.flags: dict[str, Rules] = {}
        self.until = 0.0
        self.lock = threading.Lock()


_kept = _Kept()


def is_on(key: str, organization_id: UUID | None = None, principal_id: UUID | None = None) -> bool:
    """Return whether a feature is on for this principal; a flag that does not exist is off.

    The first rule that says something decides: listed person, listed organization, percentage, everyone. The
    percentage is of principals (of organizations where no principal is named), by a hash of flag and id: who is in
    stays in while it grows, and another flag takes others.
    """
    rules = _rules().get(key)
    return False if rules is None else _decide(key, rules, organization_id, principal_id)


def forget() -> None:
    """Read the flags again at the next question; called where they are changed."""
    _kept.until = 0.0


def share_of(key: str, one: UUID) -> int:
    """Return the place of a principal or organization for a flag, 0 to 99; a percentage above it includes it."""
    digest = hashlib.sha256(f"{key}:{one}".encode()).digest()
    return int.from_bytes(digest[:4], "big") * 100 >> 32


def _decide(key: str, rules: Rules, organization_id: UUID | None, principal_id: UUID | None) -> bool:
    listed = (
        (principal_id, rules.people_off, False),
        (principal_id, rules.people_on, True),
        (organization_id, rules.organizations_off, False),
        (organization_id, rules.organizations_on, True),
    )
    for one, names, answer in listed:
        if one in names:
            return answer
    counted = principal_id or organization_id
    if counted is not None and share_of(key, counted) < rules.percentage:
        return True
    return rules.everyone


def _rules() -> dict[str, Rules]:
    if _clock() < _kept.until:
        return _kept.flags
    with _kept.lock:
        if _clock() >= _kept.until:
            _kept.flags = _read()
            _kept.until = _clock() + KEPT_SECONDS
    return _kept.flags


def _read() -> dict[str, Rules]:
    return {
        flag.key: Rules(
            everyone=flag.everyone,
            percentage=flag.percentage,
            organizations_on=frozenset(flag.organizations_on),
            organizations_off=frozenset(flag.organizations_off),
            people_on=frozenset(flag.people_on),
            people_off=frozenset(flag.people_off),
        )
        for flag in FeatureFlag.objects.all()
    }

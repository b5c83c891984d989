"""Circumstances of a call, and the conditions on them that a custom role may carry.

A role without conditions gives its rights always. One with conditions gives them only where all of them hold; until
then it gives nothing and its members see nothing. The class of data is a condition on the object, not on the call.
"""

from __future__ import annotations

import ipaddress
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.errors import ConditionNotValid, NetworkNotValid
from apps.core.http.addresses import normal

# From open to closed. A word here is in columns and stays.
DATA_CLASSES = ("public", "internal", "confidential", "secret")
DEFAULT_CLASS = "internal"
NETWORK, FACTOR, TIME, DATA_CLASS = (
    "condition.network",
    "condition.factor",
    "condition.time",
    "condition.data_class",
)
MOST_NETWORKS = 20
_SAYS = {
    "window": _("Give both a beginning and an end of the hours, or neither."),
    "empty": _("The hours begin and end at the same time."),
    "clock": _("Write a time of day like 08:00."),
    "days": _("Choose days of the week from Monday to Sunday."),
    "zone": _("There is no such time zone. Write it like Europe/Berlin."),
    "classes": _("Choose at least one class of data the role reaches."),
    "unknown": _("There is no such condition."),
}
_KEYS = frozenset({"networks", "factor", "days", "from", "until", "zone", "data_classes"})


@dataclass(frozen=True, kw_only=True)
class AccessContext:
    """Circumstances a decision may look at; what is unknown stays empty, and then fulfils no condition.

    Attributes:
        now: the moment that counts, for rules with a window; None means this one.
        address: where the caller is.
        has_factor: a second factor was shown in this session.
        is_task: work that began inside a call which fulfilled the conditions, so they are not asked again.
        extra: facts of the calling app, by name.
    """

    now: datetime | None = None
    address: str = ""
    has_factor: bool = False
    is_task: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


NOWHERE, TASK = AccessContext(), AccessContext(is_task=True)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What must hold for a role to give its rights; nothing set is no condition.

    Attributes:
        networks: in CIDR form; the caller's address lies in one of them.
        needs_factor: a second factor was shown.
        days: 1 (Monday) to 7; empty is every day.
        opens, closes: of a day in `zone`; a window may pass midnight, and belongs to the day it began on.
        data_classes: the only ones the role reaches; None is all.
    """

    networks: tuple[str, ...] = ()
    needs_factor: bool = False
    days: tuple[int, ...] = ()
    opens: time | None = None
    closes: time | None = None
    zone: str = "UTC"
    data_classes: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return self != NO_CONDITIONS

    @property
    def on_the_call(self) -> tuple[str, ...]:
        """Return the codes of the conditions on the call, in the order they are asked."""
        asked = (
            (NETWORK, bool(self.networks)),
            (FACTOR, self.needs_factor),
            (TIME, bool(self.days) or self.opens is not None),
        )
        return tuple(code for code, is_set in asked if is_set)

    def failing(self, context: AccessContext) -> str:
        """Return the code of the first condition that does not hold, or nothing."""
        if context.is_task:
            return ""
        if self.networks and not is_within(context.address, self.networks):
            return NETWORK
        if self.needs_factor and not context.has_factor:
            return FACTOR
        return "" if self._is_open_at(context.now or timezone.now()) else TIME

    def _is_open_at(self, now: datetime) -> bool:
        local = now.astimezone(zoneinfo.ZoneInfo(self.zone))
        day, clock = local.isoweekday(), local.time()
        if self.opens is None or self.closes is None:
            return not self.days or day in self.days
        if self.opens <= self.closes:
            is_inside = self.opens <= clock < self.closes
        else:
            is_inside = clock >= self.opens or clock < self.closes
            day = (
                day if clock >= self.opens else (day - 2) % 7 + 1
            )  # after midnight: the night of the day before
        return is_inside and (not self.days or day in self.days)

    def as_json(self) -> dict[str, Any]:
        """Return the form the database keeps; what is not set is left out."""
        found: dict[str, Any] = {}
        if self.networks:
            found["networks"] = list(self.networks)
        if self.needs_factor:
            found["factor"] = True
        if self.days:
            found["days"] = list(self.days)
        if self.opens is not None and self.closes is not None:
            found |= {"from": f"{self.opens:%H:%M}", "until": f"{self.closes:%H:%M}"}
        if found.keys() & {"days", "from"}:
            found["zone"] = self.zone
        if self.data_classes is not None:
            found["data_classes"] = list(self.data_classes)
        return found


NO_CONDITIONS = Conditions()


def read(stored: Mapping[str, Any]) -> Conditions:
    """Return conditions from the form the database keeps.

    Raises:
        ConditionNotValid, NetworkNotValid: what `clean` refuses.
    """
    if not stored:
        return NO_CONDITIONS
    if stored.keys() - _KEYS:
        raise ConditionNotValid(reason=_SAYS["unknown"])
    return clean(
        networks=stored.get("networks", ()),
        needs_factor=stored.get("factor", False) is True,
        days=stored.get("days", ()),
        opens=stored.get("from"),
        closes=stored.get("until"),
        zone=stored.get("zone", "UTC"),
        data_classes=stored.get("data_classes"),
    )


def clean(
    *,
    networks: Iterable[str] = (),
    needs_factor: bool = False,
    days: Iterable[int] = (),
    opens: time | str | None = None,
    closes: time | str | None = None,
    zone: str = "UTC",
    data_classes: Iterable[str] | None = None,
) -> Conditions:
    """Return conditions from values somebody gave.

    Raises:
        NetworkNotValid, ConditionNotValid: the sentence says which and why.
    """
    if (opens in (None, "")) != (closes in (None, "")):
        raise ConditionNotValid(reason=_SAYS["window"])
    begins, ends = _clock(opens), _clock(closes)
    if begins is not None and begins == ends:
        raise ConditionNotValid(reason=_SAYS["empty"])
    return Conditions(
        networks=clean_networks(networks),
        needs_factor=needs_factor,
        days=_days(days),
        opens=begins,
        closes=ends,
        zone=_zone(zone),
        data_classes=None if data_classes is None else _classes(data_classes),
    )


def clean_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """Return networks in CIDR form, each once, in the order given.

    Raises:
        NetworkNotValid: no network, or more than 20.
    """
    cleaned = []
    for text in networks:
        try:
            cleaned.append(str(ipaddress.ip_network(str(text).strip())))
        except ValueError as error:
            raise NetworkNotValid(value=str(text)[:50]) from error
    found = tuple(dict.fromkeys(cleaned))
    if len(found) > MOST_NETWORKS:
        raise NetworkNotValid(value=found[MOST_NETWORKS])
    return found


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address lies in one of the networks; an unknown address lies in none."""
    found = normal(address)
    return bool(found) and any(ipaddress.ip_address(found) in ipaddress.ip_network(text) for text in networks)


def both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return the classes of data that two limits leave; None is no limit."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _clock(value: time | str | None) -> time | None:
    if value is None or value == "":
        return None
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0, tzinfo=None)
    try:
        return time.fromisoformat(value).replace(second=0, microsecond=0, tzinfo=None)
    except (TypeError, ValueError) as error:
        raise ConditionNotValid(reason=_SAYS["clock"]) from error


def _days(days: Iterable[int]) -> tuple[int, ...]:
    try:
        found = sorted({int(day) for day in days})
    except (TypeError, ValueError) as error:
        raise ConditionNotValid(reason=_SAYS["days"]) from error
    if any(not 1 <= day <= 7 for day in found):
        raise ConditionNotValid(reason=_SAYS["days"])
    return () if len(found) == 7 else tuple(found)


def _zone(zone: str) -> str:
    try:
        return zoneinfo.ZoneInfo(zone).key
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ConditionNotValid(reason=_SAYS["zone"]) from error


def _classes(classes: Iterable[str]) -> tuple[str, ...] | None:
    wanted = set(classes)
    if not wanted or not wanted <= set(DATA_CLASSES):
        raise ConditionNotValid(reason=_SAYS["classes"])
    return None if wanted == set(DATA_CLASSES) else tuple(one for one in DATA_CLASSES if one in wanted)

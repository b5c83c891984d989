"""The kinds of notifications that apps announce, and their words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from apps.accounts.types import Principal
from apps.core.registry import AlreadyRegistered
from apps.notify.types import Kind, NotificationRow, NotificationView

_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Announce a kind.

    Raises:
        AlreadyRegistered.
    """
    if _kinds.setdefault(kind.key, kind) is not kind:
        raise AlreadyRegistered(kind.key)


def kinds() -> list[Kind]:
    """Return all kinds, by key."""
    return [_kinds[key] for key in sorted(_kinds)]


def described(principal: Principal, rows: Iterable[NotificationRow]) -> list[NotificationView]:
    """Return the rows with their words, in their order; what their recipient may not see now is left out.

    Costs what the apps that announced the kinds ask for, once for each kind.
    """
    ordered = list(rows)
    by_kind: dict[str, list[NotificationRow]] = defaultdict(list)
    for row in ordered:
        by_kind[row.kind].append(row)
    words = {
        pk: said
        for key, group in by_kind.items()
        if key in _kinds
        for pk, said in _kinds[key].describe(principal, group).items()
    }
    return [NotificationView(row=row, described=words[row.id]) for row in ordered if row.id in words]

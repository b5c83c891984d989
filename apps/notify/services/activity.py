"""Who is at the screen now: the app that has the sockets says it. Nobody is, where no such app is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

AtScreen = Callable[[UUID, UUID], bool]


@dataclass
class _Known:
    """What was announced."""

    at_screen: list[AtScreen] = field(default_factory=list)


_known = _Known()


def register_activity(at_screen: AtScreen) -> None:
    """Announce who knows whether (organization, principal) did something in the app within the last minute."""
    if at_screen not in _known.at_screen:
        _known.at_screen.append(at_screen)


def is_at_screen(*, organization_id: UUID, principal_id: UUID) -> bool:
    """Return whether somebody would see it in the app now."""
    return any(asked(organization_id, principal_id) for asked in _known.at_screen)

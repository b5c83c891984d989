"""How fast one principal, and one organization, may send."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from apps.accounts.types import Principal
from apps.core.realtime.pace import Pace
from apps.core.services import limits

FLOOD_SECONDS: Final = 5  # of the allowed frames may come at once


def take_turn(principal: Principal) -> None:
    """Count one message.

    Raises:
        TooManyRequests.
    """
    counted = [limits.messages_of(principal.id), limits.messages_in(principal.organization_id)]
    limits.take(counted).require()


def pace_of_frames() -> Pace:
    """Return what a socket may send: more frames than anybody types, and never fewer than twice its messages."""
    security = settings.CONFIGURATION.security
    rate = max(security.frames_per_second, security.messages_per_minute // 30)
    return Pace(per_second=rate, at_once=max(rate * FLOOD_SECONDS, security.message_burst * 2))

"""How fast one principal, and one organization, may send."""

from __future__ import annotations

from apps.accounts.types import Principal
from apps.core.services import limits


def take_turn(principal: Principal) -> None:
    """Count one message.

    Raises:
        TooManyRequests.
    """
    counted = [limits.messages_of(principal.id), limits.messages_in(principal.organization_id)]
    limits.take(counted).require()

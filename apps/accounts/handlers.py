"""Duties of the relay."""

from __future__ import annotations

from apps.accounts.services import break_glass
from apps.core.relay.periodic import every


@every(seconds=30)
def close_emergency_accounts() -> None:
    """Close emergency accounts whose time is over."""
    break_glass.close_expired()

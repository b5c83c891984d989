"""Periodic duties of the mechanisms."""

from __future__ import annotations

from apps.core.relay.periodic import every
from apps.core.services import retry


@every(seconds=3600)
def prune_retry_keys() -> None:
    """Forget the answers of old retry keys."""
    retry.prune()

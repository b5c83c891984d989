"""Duties of the relay."""

from __future__ import annotations

from apps.core.relay.periodic import every
from apps.runs.services import recovery


@every(seconds=2)
def recover_lost_runs() -> None:
    """Free what dead workers held."""
    recovery.recover_lost()


@every(seconds=2)
def poke_due_runs() -> None:
    """Wake workers for what is due; this is why an empty Redis is harmless."""
    recovery.poke_due()


@every(seconds=3600)
def forget_old_frames() -> None:
    """Keep the table of frames small."""
    recovery.forget_frames()

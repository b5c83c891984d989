"""Duties of the relay."""

from __future__ import annotations

from apps.accounts.services.objects import register_object_kind
from apps.core.relay.periodic import every
from apps.files.selectors import explaining
from apps.files.services import removal

register_object_kind(explaining.FILE)


@every(seconds=600)
def remove_abandoned_uploads() -> None:
    """Free the room of uploads nobody finished and of files nobody attached."""
    removal.remove_abandoned()

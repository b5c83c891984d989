"""What an operator does with events a consumer gave up on, inside the organization of the event."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.utils import timezone

from apps.core import faults
from apps.core.errors import NotFound
from apps.core.events import consumers
from apps.core.models import DeadLetter

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Replay:
    """How a second try ended; `error` is empty when the consumer took the event."""

    dead_letter_id: int
    error: str


def replay(*, dead_letter_id: int) -> Replay:
    """Give an open dead letter to its consumer once more; it stays open, with the new reason, when that fails.

    Raises:
        NotFound: there is no open dead letter with this id.
    """
    if not DeadLetter.objects.filter(pk=dead_letter_id, state=DeadLetter.State.OPEN).exists():
        raise NotFound
    try:
        consumers.replay(dead_letter_id)
    except Exception as error:  # noqa: BLE001 - a consumer may raise anything; it is kept and shown
        reason = faults.trace_of(error)[-4000:]
        DeadLetter.objects.filter(pk=dead_letter_id).update(error=reason)
        logger.warning("dead_letter.replay_failed", extra={"dead_letter": dead_letter_id})
        return Replay(dead_letter_id, faults.told(error))
    return Replay(dead_letter_id, "")


def dismiss(*, dead_letter_id: int) -> None:
    """Close an open dead letter: its effect is not wanted any more.

    Raises:
        NotFound: there is no open dead letter with this id.
    """
    open_letter = DeadLetter.objects.filter(pk=dead_letter_id, state=DeadLetter.State.OPEN)
    if not open_letter.update(state=DeadLetter.State.DISMISSED, settled_at=timezone.now()):
        raise NotFound

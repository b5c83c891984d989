"""What an operator does with events a consumer gave up on, inside the organization of the event."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core import actions, faults, tenancy
from apps.core.errors import NotFound
from apps.core.events import consumers
from apps.core.models import DeadLetter
from apps.core.services import audit

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Replay:
    """How a second try ended; `error` is empty when the consumer took the event."""

    dead_letter_id: int
    error: str


def replay(*, dead_letter_id: int, actor_id: UUID | None = None) -> Replay:
    """Give an open dead letter to its consumer once more; it stays open, with the new reason, when that fails.

    Raises:
        NotFound: there is no open dead letter with this id.
    """
    letter = DeadLetter.objects.filter(pk=dead_letter_id, state=DeadLetter.State.OPEN).first()
    if letter is None:
        raise NotFound
    try:
        with transaction.atomic():
            consumers.replay(dead_letter_id)
            _note(actions.LETTER_REPLAYED, letter, actor_id)
    except Exception as error:  # noqa: BLE001 - a consumer may raise anything; it is kept and shown
        reason = faults.trace_of(error)[-4000:]
        DeadLetter.objects.filter(pk=dead_letter_id).update(error=reason)
        logger.warning("dead_letter.replay_failed", extra={"dead_letter": dead_letter_id})
        return Replay(dead_letter_id, faults.told(error))
    return Replay(dead_letter_id, "")


def dismiss(*, dead_letter_id: int, actor_id: UUID | None = None) -> None:
    """Close an open dead letter: its effect is not wanted any more.

    Raises:
        NotFound: there is no open dead letter with this id.
    """
    with transaction.atomic():
        letter = (
            DeadLetter.objects.select_for_update(no_key=True)
            .filter(pk=dead_letter_id, state=DeadLetter.State.OPEN)
            .first()
        )
        if letter is None:
            raise NotFound
        letter.state, letter.settled_at = DeadLetter.State.DISMISSED, timezone.now()
        letter.save(update_fields=["state", "settled_at"])
        _note(actions.LETTER_DISMISSED, letter, actor_id)


def _note(action: str, letter: DeadLetter, actor_id: UUID | None) -> None:
    """Record it in the trail of the event's organization, which may not be the operator's own."""
    with tenancy.use(letter.organization_id):
        audit.record(
            organization_id=letter.organization_id,
            action=action,
            actor_id=actor_id,
            object_type="dead_letter",
            object_id=letter.pk,
            details={"consumer": letter.consumer, "type": letter.event_type, "position": letter.position},
        )

"""Events of agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class AnswerCompleted(DomainEvent):
    """A private answer says more than the one in the conversation. Stream: the asker's own; nobody else hears of it."""

    type: ClassVar[str] = "answer.completed"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    answer_id: UUID
    completes: UUID
    conversation: UUID
    message: UUID | None = None

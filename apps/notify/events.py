"""Events of notifications, on the recipient's own stream. They hold ids; words are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class NotificationAdded(DomainEvent):
    """Something concerns the person, or is said again because it is urgent. `unread` is the count after it."""

    type: ClassVar[str] = "notification.added"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    notification: UUID
    kind: str
    reason: str
    conversation: UUID | None
    thread: UUID | None
    message: UUID | None
    is_urgent: bool
    created_at: datetime
    unread: int


@dataclass(frozen=True, kw_only=True)
class NotificationsChanged(DomainEvent):
    """These are `seen`, `read`, `unread` or `cancelled` (gone from the list). `unread` is the count after it."""

    type: ClassVar[str] = "notification.changed"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    notifications: tuple[UUID, ...]
    state: str
    unread: int


@dataclass(frozen=True, kw_only=True)
class LevelChanged(DomainEvent):
    """The person wants this of a place, `conversation:<id>` or `thread:<id>`; an empty level: what holds around it."""

    type: ClassVar[str] = "notification.level_changed"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    place: str
    level: str

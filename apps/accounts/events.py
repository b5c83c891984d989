"""Events of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class AccessRevoked(DomainEvent):
    """Sessions, keys or the membership of a principal ended: sockets close, streams stop.

    Attributes:
        session: one session, key or token family id, or empty for all of the principal's in this organization.
    """

    type: ClassVar[str] = "access.revoked"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    principal_id: UUID
    session: str = ""
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccessChanged(DomainEvent):
    """A principal's rights in this organization changed: sockets and caches look at the rows again."""

    type: ClassVar[str] = "access.changed"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    principal_id: UUID
    role: str


@dataclass(frozen=True, kw_only=True)
class KeySuspended(DomainEvent):
    """A key was not used for so long that it does not work any more until its owner wants it back."""

    type: ClassVar[str] = "key.suspended"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    principal_id: UUID
    key: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class SeatAdded(DomainEvent):
    """A principal may see a scope from now on."""

    type: ClassVar[str] = "seat.added"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    principal_id: UUID
    scope: UUID


@dataclass(frozen=True, kw_only=True)
class SeatRemoved(DomainEvent):
    """A principal lost a scope."""

    type: ClassVar[str] = "seat.removed"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    principal_id: UUID
    scope: UUID


@dataclass(frozen=True, kw_only=True)
class ViewedAs(DomainEvent):
    """An administrator looked at pages as this principal, and stopped. Stream: the principal's own."""

    type: ClassVar[str] = "view_as.ended"
    audience: ClassVar[Audience] = Audience.PRINCIPAL
    personal: ClassVar[tuple[str, ...]] = ("viewer",)
    principal_id: UUID
    viewer_id: UUID
    viewer: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class MemberChanged(DomainEvent):
    """Name, picture, role or activity of a member changed, or a member is new. Stream: the organization."""

    type: ClassVar[str] = "member.changed"
    member_id: UUID
    principal_id: UUID
    role: str
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted(DomainEvent):
    """Somebody came in by invitation and waits to join these conversations. Stream: the organization."""

    type: ClassVar[str] = "invitation.accepted"
    principal_id: UUID
    invited_by: UUID | None
    conversations: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class EmergencyAccessUsed(DomainEvent):
    """Somebody signed in with an emergency account that an operator made. Stream: the organization."""

    type: ClassVar[str] = "emergency_access.used"
    principal_id: UUID
    reason: str

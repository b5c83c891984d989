"""Accounts, sessions and second factors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class SessionView:
    """A signed-in browser of a user."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@dataclass(frozen=True)
class AccountView:
    """What a user sees of its own account."""

    id: UUID
    email: str | None
    language: str
    theme: str


@dataclass(frozen=True)
class SignedIn:
    """What a session says of who uses it.

    Attributes:
        factor_id: the second factor it was proved with; None without one.
        view_as: the view as somebody else that was begun in it; empty for none. It may be over.
    """

    user_id: UUID
    factor_id: int | None
    view_as: str = ""


@dataclass(frozen=True)
class FactorView:
    """A second factor of a person.

    Attributes:
        kind: `totp`, `webauthn` or `recovery_codes`.
        left: unused recovery codes; 0 for others.
    """

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    left: int


@dataclass(frozen=True)
class FactorPolicyView:
    """Who needs a second factor in an organization.

    Attributes:
        policy: `nobody`, `administrators` or `everybody`.
        since: the days of grace count from here, or from joining.
    """

    policy: str
    since: datetime
    grace_days: int


@dataclass(frozen=True)
class LackingMember:
    """A member who would need a second factor and has none."""

    id: UUID
    name: str
    email: str | None
    role: str
    due_at: datetime


@dataclass(frozen=True)
class EmergencyView:
    """An emergency account of an organization."""

    id: UUID
    reason: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Proof:
    """How a person showed who it is, as an ID token tells it.

    Attributes:
        signed_in_at: seconds since 1970.
        methods: of RFC 8176.
    """

    signed_in_at: int
    methods: tuple[str, ...]

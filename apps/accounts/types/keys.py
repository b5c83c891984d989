"""API keys and tokens: what is told once, what is listed, what bounds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone


@dataclass(frozen=True)
class IssuedKey:
    """A new API key; `secret` is shown once and never again."""

    id: UUID
    name: str
    prefix: str
    secret: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True)
class KeyView:
    """An API key in a list."""

    id: UUID
    owner_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    conversations: tuple[UUID, ...] | None
    networks: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None
    suspended_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None
    created_at: datetime

    @property
    def state(self) -> str:
        """Return ended, suspended, expired or active."""
        if self.revoked_at is not None:
            return "ended"
        if self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.suspended_at is None else "suspended"


@dataclass(frozen=True)
class KeyLimits:
    """How far a key reaches beside its scopes.

    Attributes:
        conversations: the only ones it sees and writes to; None is no such limit.
        networks: the only ones it is taken from, in CIDR form; empty is no such limit.
    """

    conversations: tuple[UUID, ...] | None = None
    networks: tuple[str, ...] = ()


NO_LIMITS = KeyLimits()


@dataclass(frozen=True)
class IssuedTokens:
    """A new pair of tokens; both are shown once and never again.

    Attributes:
        family: the line of refresh tokens they belong to, which ends as one.
        refresh_token: empty where a registered client gets none.
        scopes: None is all that its owner may do.
    """

    family: UUID
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class TokenView:
    """A client that is signed in by tokens."""

    id: UUID
    owner_id: UUID
    name: str
    scopes: tuple[str, ...] | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool

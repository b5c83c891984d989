"""Programs that people let in, and how they ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class ClientView:
    """A registered client, without its secrets.

    Attributes:
        service_id: the service account it acts as without a person.
        previous_until: until when the secret before the last works, too.
    """

    id: UUID
    name: str
    is_confidential: bool
    redirect_uris: tuple[str, ...]
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    id_token_algorithm: str
    service_id: UUID | None
    secret_prefix: str
    previous_until: datetime | None
    disabled_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class IssuedClient:
    """A new client, or one with a new secret; the secret is shown once and never again, and empty for a public one."""

    id: UUID
    name: str
    secret: str


@dataclass(frozen=True)
class KnownClient:
    """A client that asks, found by its id before its organization was known."""

    id: UUID
    organization_id: UUID
    organization_name: str
    name: str
    is_confidential: bool
    redirect_uris: tuple[str, ...]
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    id_token_algorithm: str
    service_id: UUID | None


@dataclass(frozen=True)
class ConsentView:
    """What a person allowed a client."""

    id: UUID
    client_id: UUID
    client_name: str
    scopes: tuple[str, ...]
    given_at: datetime


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked request for a person's consent.

    Attributes:
        max_age: seconds since the last sign-in at most; None is any.
    """

    client: KnownClient
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    nonce: str
    prompt: frozenset[str]
    max_age: int | None


@dataclass(frozen=True)
class StartedDevice:
    """Codes for a device that waits; both are shown once."""

    device_code: str
    user_code: str
    expires_in: int
    interval_seconds: int


@dataclass(frozen=True)
class WaitingDevice:
    """A device that waits for a person, as the page shows it."""

    id: UUID
    client: KnownClient
    scopes: tuple[str, ...]
    address: str | None
    started_at: datetime

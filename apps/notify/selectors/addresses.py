"""The browsers of a person that take push messages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.accounts.types import Principal
from apps.notify.models import PushSubscription


@dataclass(frozen=True)
class BrowserView:
    """A browser, without its secret address."""

    id: UUID
    user_agent: str
    created_at: datetime
    last_sent_at: datetime | None


def list_browsers(principal: Principal) -> list[BrowserView]:
    """Return the principal's browsers, oldest first. One query."""
    rows = PushSubscription.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id
    )
    return [
        BrowserView(*row)
        for row in rows.order_by("pk").values_list("pk", "user_agent", "created_at", "last_sent_at")
    ]


def endpoint_digests(principal: Principal) -> dict[UUID, str]:
    """Return the SHA-256 of the secret address of each of the principal's browsers, which knows its own. One query."""
    rows = PushSubscription.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id
    )
    return {
        pk: hashlib.sha256(endpoint.encode()).hexdigest()
        for pk, endpoint in rows.values_list("pk", "endpoint")
    }

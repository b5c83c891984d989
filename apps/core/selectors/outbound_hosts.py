"""The hosts an organization allows and denies."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.core.models import OutboundHost
from apps.core.outbound.rules import HostRules


@dataclass(frozen=True)
class OutboundHostView:
    """One entry of the lists."""

    id: UUID
    pattern: str
    is_allowed: bool


def host_rules(*, organization_id: UUID) -> HostRules:
    """Return the rules the fetcher holds to. One query."""
    listed = list_hosts(organization_id=organization_id)
    return HostRules(
        allowed=frozenset(host.pattern for host in listed if host.is_allowed),
        denied=frozenset(host.pattern for host in listed if not host.is_allowed),
    )


def list_hosts(*, organization_id: UUID) -> list[OutboundHostView]:
    """Return both lists by name. One query."""
    rows = OutboundHost.objects.filter(organization_id=organization_id).order_by("pattern")
    return [OutboundHostView(row.pk, row.pattern, row.is_allowed) for row in rows]

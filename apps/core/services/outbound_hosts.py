"""Name the hosts an organization allows and denies. Callers have decided about rights."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from apps.core.actions import OUTBOUND_HOST_LISTED, OUTBOUND_HOST_REMOVED
from apps.core.models import OutboundHost
from apps.core.outbound.errors import OutboundHostNotFound, TooManyOutboundHosts
from apps.core.outbound.rules import clean_pattern
from apps.core.services import audit

MOST_HOSTS: Final = 500


def set_host(*, organization_id: UUID, actor_id: UUID, pattern: str, is_allowed: bool) -> None:
    """Put a host on one of the lists; one that is on the other moves. Holds for fetches that begin from now on.

    Raises:
        HostPatternInvalid, TooManyOutboundHosts.
    """
    cleaned = clean_pattern(pattern)
    with transaction.atomic():
        if OutboundHost.objects.filter(organization_id=organization_id).count() >= MOST_HOSTS:
            raise TooManyOutboundHosts(most=MOST_HOSTS)
        host, _made = OutboundHost.objects.update_or_create(
            organization_id=organization_id, pattern=cleaned, defaults={"is_allowed": is_allowed}
        )
        audit.record(
            organization_id=organization_id,
            action=OUTBOUND_HOST_LISTED,
            actor_id=actor_id,
            object_type="outbound_host",
            object_id=host.pk,
            details={"pattern": cleaned, "is_allowed": is_allowed},
        )


def remove_host(*, organization_id: UUID, actor_id: UUID, host_id: UUID) -> None:
    """Take a host off its list.

    Raises:
        OutboundHostNotFound.
    """
    with transaction.atomic():
        host = OutboundHost.objects.filter(organization_id=organization_id, pk=host_id).first()
        if host is None:
            raise OutboundHostNotFound
        host.delete()
        audit.record(
            organization_id=organization_id,
            action=OUTBOUND_HOST_REMOVED,
            actor_id=actor_id,
            object_type="outbound_host",
            object_id=host_id,
            details={"pattern": host.pattern, "is_allowed": host.is_allowed},
        )

"""Name the hosts an organization allows and denies. Callers have decided about rights."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction

from apps.core.models import OutboundHost
from apps.core.outbound.errors import OutboundHostNotFound, TooManyOutboundHosts
from apps.core.outbound.rules import clean_pattern

MOST_HOSTS: Final = 500


def set_host(*, organization_id: UUID, pattern: str, is_allowed: bool) -> None:
    """Put a host on one of the lists; one that is on the other moves. Holds for fetches that begin from now on.

    Raises:
        HostPatternInvalid, TooManyOutboundHosts.
    """
    cleaned = clean_pattern(pattern)
    with transaction.atomic():
        if OutboundHost.objects.filter(organization_id=organization_id).count() >= MOST_HOSTS:
            raise TooManyOutboundHosts(most=MOST_HOSTS)
        OutboundHost.objects.update_or_create(
            organization_id=organization_id, pattern=cleaned, defaults={"is_allowed": is_allowed}
        )


def remove_host(*, organization_id: UUID, host_id: UUID) -> None:
    """Take a host off its list.

    Raises:
        OutboundHostNotFound.
    """
    if not OutboundHost.objects.filter(organization_id=organization_id, pk=host_id).delete()[0]:
        raise OutboundHostNotFound

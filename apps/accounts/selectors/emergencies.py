"""Emergency accounts of an organization, for its console."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import BreakGlass
from apps.accounts.types import EmergencyView

SHOWN = timedelta(days=7)


def recent_emergencies(*, organization_id: UUID) -> list[EmergencyView]:
    """Return the accounts that were used in the last seven days or still work, newest first. One query."""
    now = timezone.now()
    rows = BreakGlass.objects.filter(
        Q(used_at__gt=now - SHOWN) | Q(closed_at=None, expires_at__gt=now), organization_id=organization_id
    )
    return [
        EmergencyView(
            row.pk, row.reason, row.created_at, row.expires_at, row.used_at, row.used_from, row.closed_at
        )
        for row in rows.order_by("-created_at", "-pk")[:20]
    ]

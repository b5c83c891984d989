"""Keep the tables small: notifications and their delivery log end by age, reply addresses by their date."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.core import tenancy
from apps.core.retention import Held
from apps.notify.models import Notification

BATCH = 2000


def remove_old(organization_id: UUID, before: datetime, held: Held) -> int:
    """Delete an organization's notifications from before a moment with their logs, except what is held."""
    removed = 0
    with tenancy.use(organization_id):
        rows = (
            Notification.objects.filter(organization_id=organization_id, created_at__lt=before)
            .exclude(recipient_id__in=held.people)
            .exclude(conversation_id__in=held.place_ids("conversation"))
        )
        while ids := list(rows.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
            Notification.objects.filter(organization_id=organization_id, pk__in=ids).delete()
            removed += len(ids)
    return removed

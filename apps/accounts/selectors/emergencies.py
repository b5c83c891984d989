"""Emergency accounts of an organization, for its console."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.types import EmergencyView
from apps.core.database import planned

SHOWN = timedelta(days=7)
# Every page of the console asks; the columns are the fields of `EmergencyView`.
_RECENT = """
SELECT id, reason, created_at, expires_at, used_at, used_from, closed_at FROM accounts_breakglass
WHERE organization_id = %s AND (used_at > %s OR closed_at IS NULL AND expires_at > now())
ORDER BY created_at DESC, id DESC LIMIT 20
"""


def recent_emergencies(*, organization_id: UUID) -> list[EmergencyView]:
    """Return the accounts that were used in the last seven days or still work, newest first. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _RECENT, [organization_id, timezone.now() - SHOWN])
        return [EmergencyView(*row) for row in cursor.fetchall()]

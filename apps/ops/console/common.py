"""What the console pages of operations share."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from apps.accounts.types import Principal

OVERVIEW, SETTINGS, FLAGS, STATUS = "overview", "settings", "flags", "status"
OUTBOUND, ENCRYPTION, SECURITY = "outbound", "encryption", "security"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


def reach(principal: Principal) -> UUID | None:
    """Return whose dead letters the reader may see: its organization's, or for operators (None) everyone's."""
    return None if principal.is_staff else principal.organization_id

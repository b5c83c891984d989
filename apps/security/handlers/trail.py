"""Periodic duties of security."""

from __future__ import annotations

from django.conf import settings

from apps.core.relay.periodic import every
from apps.security.services import anchors


@every(seconds=settings.CONFIGURATION.security.audit_anchor_seconds)
def write_anchors() -> None:
    """Write the heads of the chains outside the database."""
    anchors.write_anchors()

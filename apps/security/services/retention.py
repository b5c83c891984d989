"""Apply the rules of retention: each app deletes its own, told what is held."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from apps.accounts.selectors.members import list_organization_ids
from apps.core import tenancy
from apps.core.retention import retention_rules
from apps.security.selectors.holds import held

logger = logging.getLogger(__name__)


def apply_rules() -> int:
    """Apply every rule in every organization; return how many things were deleted."""
    return sum(apply_in(organization_id=organization_id) for organization_id in list_organization_ids())


def apply_in(*, organization_id: UUID) -> int:
    """Apply every rule in one organization; one that fails is logged and tried again in an hour."""
    total = 0
    with tenancy.use(organization_id):
        kept = held(organization_id)
        for rule in retention_rules():
            try:
                done = rule.remove(organization_id, timezone.now() - rule.age, kept)
            except Exception:
                logger.exception(
                    "retention.failed", extra={"rule": rule.name, "organization": str(organization_id)}
                )
                continue
            if done:
                logger.info("retention.applied", extra={"rule": rule.name, "rows": done})
            total += done
    return total

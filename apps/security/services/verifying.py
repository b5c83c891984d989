"""Verify a trail, keep the outcome, and say in the trail that it was done."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from prometheus_client import Counter

from apps.accounts.services.access import require
from apps.accounts.types import Principal
from apps.core.services import audit
from apps.runs.services.runs import start_run
from apps.runs.types import RunView, StepSpec
from apps.security.actions import VERIFIED
from apps.security.models import AuditCheck
from apps.security.selectors import anchor_files
from apps.security.selectors.verification import verify_chain
from apps.security.types import ChainReport

KIND, STEP = "security.verify_trail", "security.verify_trail"
found = Counter("chatsystem_audit_verify_findings_total", "Things that verifications found wrong in trails")


def start_verification(*, principal: Principal) -> RunView:
    """Start a run that verifies the organization's whole trail; it can be followed like any other.

    Raises:
        PermissionMissing.
    """
    require(principal, "audit.read")
    return start_run(
        kind=KIND,
        principal=principal,
        steps=[StepSpec(STEP, {"requested_by_id": principal.id})],
        scope_id=None,
    )


def verify_and_keep(*, organization_id: UUID, requested_by_id: UUID | None) -> ChainReport:
    """Verify the current organization's trail against the anchors this machine can read, and keep the outcome."""
    report = verify_chain(organization_id, anchors=anchor_files.read(anchor_files.directory()))
    total = len(report.findings) + report.more
    found.inc(total)
    with transaction.atomic():
        check = AuditCheck.objects.create(
            organization_id=organization_id,
            requested_by_id=requested_by_id,
            entries=report.entries,
            waiting=report.waiting,
            head=report.head,
            anchors=report.anchors,
            last_anchor=report.last_anchor,
            emptied=report.emptied,
            findings=[finding.as_dict() for finding in report.findings],
            findings_total=total,
        )
        audit.record(
            organization_id=organization_id,
            action=VERIFIED,
            actor_id=requested_by_id,
            object_type="audit_check",
            object_id=check.pk,
            outcome="failed" if total else "done",
            details={"entries": report.entries, "findings": total},
        )
    return report

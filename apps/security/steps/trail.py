"""Steps of runs: verification of a trail."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy

from apps.runs.selectors.naming import register_kind
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.security.services.verifying import KIND, STEP, verify_and_keep


@step(STEP, timeout_seconds=3600)
def verify_trail(context: StepContext, *, requested_by_id: UUID) -> int:
    """Verify the organization's trail; once, even if the step is repeated after it was done.

    Returns:
        How many things are wrong.
    """
    report = verify_and_keep(organization_id=context.organization_id, requested_by_id=requested_by_id)
    return len(report.findings) + report.more


register_kind(KIND, gettext_lazy("Verify the audit trail"))

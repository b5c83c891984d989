"""The step of a link preview: look at one address."""

from __future__ import annotations

from uuid import UUID

from apps.chat.services import previews
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step


@step(previews.STEP, max_attempts=2, timeout_seconds=60)
def fetch_preview(context: StepContext, *, preview_id: UUID) -> str:
    """Look at an address; a second attempt looks again."""
    return previews.fetch_preview(organization_id=context.organization_id, preview_id=preview_id)

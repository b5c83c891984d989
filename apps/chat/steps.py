"""Parts of the runs of chat."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy, gettext_noop

from apps.chat.services import previews, retention
from apps.runs.selectors.naming import register_kind
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec

ENDING = gettext_noop("Deleting what is over")


@step("chat.end_old_messages", queue="ingest", timeout_seconds=1800, backoff_seconds=30)
def end_old_messages(context: StepContext, *, part: int = 0) -> int:
    """Empty messages whose time is over, and go on in a further step while some are left; return how many."""
    context.progress(0, stage=ENDING)
    done, has_more = retention.end_old_messages(
        organization_id=context.organization_id, beat=context.progress
    )
    if has_more:
        context.add_steps([StepSpec("chat.end_old_messages", {"part": part + 1}, key=str(part + 1))])
    return done


@step(previews.STEP, max_attempts=2, timeout_seconds=60)
def fetch_preview(context: StepContext, *, preview_id: UUID) -> str:
    """Look at an address; a second attempt looks again."""
    return previews.fetch_preview(organization_id=context.organization_id, preview_id=preview_id)


register_kind(retention.KIND, gettext_lazy("End of old messages"))

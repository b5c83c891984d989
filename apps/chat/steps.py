"""Parts of the runs of chat."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, gettext_noop

from apps.chat.services import retention
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


register_kind(retention.KIND, gettext_lazy("End of old messages"))

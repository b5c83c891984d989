"""What exports hear, and the export of a whole organization."""

from __future__ import annotations

from apps.core.data_exports import register_export
from apps.core.events.subscribers import in_transaction
from apps.runs.events import RunFinished
from apps.runs.types import RunState
from apps.security.selectors.whole import ORGANIZATION
from apps.security.services import data_exports
from apps.security.types import EXPORT_SUBJECT, RequestState

_STATES = {RunState.FAILED: RequestState.FAILED, RunState.CANCELLED: RequestState.CANCELLED}

register_export(ORGANIZATION)


@in_transaction(RunFinished)
def note_end_of_export(event: RunFinished) -> None:
    """An export whose run failed or was cancelled says so."""
    state = _STATES.get(RunState(event.state))
    if event.subject_type == EXPORT_SUBJECT and event.subject_id is not None and state is not None:
        data_exports.settle(
            organization_id=event.organization_id,
            export_id=event.subject_id,
            state=state,
            error_code=event.error_code,
        )

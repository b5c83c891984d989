"""What privacy hears and does by the clock."""

from __future__ import annotations

from apps.core.events.subscribers import in_transaction
from apps.core.relay.periodic import every
from apps.runs.events import RunFinished
from apps.runs.types import RunState
from apps.security.services import erasure, retention
from apps.security.types import SUBJECT, RequestState

_STATES = {RunState.FAILED: RequestState.FAILED, RunState.CANCELLED: RequestState.CANCELLED}


@in_transaction(RunFinished)
def note_end_of_request(event: RunFinished) -> None:
    """A request whose run failed or was cancelled says so."""
    state = _STATES.get(RunState(event.state))
    if event.subject_type == SUBJECT and event.subject_id is not None and state is not None:
        erasure.settle(
            organization_id=event.organization_id,
            request_id=event.subject_id,
            state=state,
            error_code=event.error_code,
        )


@every(seconds=3600)
def end_what_is_old() -> None:
    """Delete what rules of retention say is over, in every organization."""
    retention.apply_rules()

"""Tell the people who wait: progress over the socket, and durable events when a run is queued or over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from apps.core.events import frames as sockets
from apps.core.events import log
from apps.core.events.publishing import publish_ephemeral
from apps.runs.events import RunFinished, RunQueued
from apps.runs.models import Run
from apps.runs.selectors.runs import view_of
from apps.runs.types import RunView


def progress_data(run: RunView) -> dict[str, Any]:
    """Return what every reader of the run's scope may see of its progress."""
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run.state.value,
        "stage": run.stage,
        "percent": run.percent,
        "progress_current": run.progress_current,
        "progress_total": run.progress_total,
        "steps_total": run.steps_total,
        "steps_done": run.steps_done,
        "steps_failed": run.steps_failed,
        "subject": {"type": run.subject.type, "id": run.subject.id} if run.subject else None,
        "error_code": run.error_code,
    }


def publish_progress(run: RunView) -> None:
    """Publish the progress to the principal's devices and the conversation's readers, if any listen."""
    data = progress_data(run)
    channels: list[tuple[str, UUID | None]] = []
    if run.member_id:
        channels.append((sockets.principal_channel(run.member_id), None))
    if run.conversation_id:
        channels.append((sockets.conversation_channel(run.conversation_id), run.conversation_id))
    for name, conversation in channels:
        frame = {"frame": "ephemeral", "conversation": conversation, "type": "run.progressed", "data": data}
        publish_ephemeral(name, orjson.dumps(frame))


def queued(run: Run) -> None:
    """Record that the run waits for a worker."""
    log.record(RunQueued(**_about(run)))
    _progress_after_commit(run)


def finished(run: Run) -> None:
    """Record that the run is over."""
    log.record(
        RunFinished(
            **_about(run), state=run.state, error_code=run.error_code, steps_done=run.steps_done,
            steps_failed=run.steps_failed,
        )
    )  # fmt: skip
    _progress_after_commit(run)


def _progress_after_commit(run: Run) -> None:
    view = view_of(run)
    transaction.on_commit(lambda: publish_progress(view))


def _about(run: Run) -> dict[str, Any]:
    return {
        "organization_id": run.organization_id,
        "stream_id": run.member_id or run.organization_id,
        "scope_id": run.scope_id,
        "actor_id": run.principal_id,
        "run_id": run.pk,
        "kind": run.kind,
        "subject_type": run.subject_type,
        "subject_id": run.subject_id,
    }

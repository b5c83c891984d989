"""Start the runs that make vectors: one at a time for each organization that has something to do."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.core import tenancy
from apps.elyza.services import encoder
from apps.runs.selectors.runs import find_latest
from apps.runs.services.runs import start_run
from apps.runs.types import RunState, RunView, StepSpec, Subject

KIND = "rag.embed"
PAUSE = timedelta(seconds=60)  # after a failure: the model process is away
_WAITING = """
SELECT o.id FROM accounts_organization o
WHERE EXISTS (SELECT 1 FROM rag_chunk c WHERE c.organization_id = o.id AND c.model_version = '')
  OR (%(version)s <> '' AND (
    EXISTS (SELECT 1 FROM rag_chunk c WHERE c.organization_id = o.id AND c.model_version > ''
      AND c.model_version < %(version)s)
    OR EXISTS (SELECT 1 FROM rag_chunk c WHERE c.organization_id = o.id AND c.model_version > %(version)s)
    OR (%(tokens)s AND EXISTS (SELECT 1 FROM rag_indexstat s WHERE s.organization_id = o.id AND s.chunks > 0
      AND s.tokens_version <> %(version)s))))
"""


def start_due_runs(*, model_version: str = "") -> int:
    """Start a run for each organization whose chunks wait for vectors; return how many were started.

    Across organizations: for the relay.

    Args:
        model_version: organizations with vectors of another version count too, and those without vectors of tokens
            where the model gives them; empty leaves them alone.
    """
    with tenancy.nobody(), connection.cursor() as cursor:
        cursor.execute(_WAITING, {"version": model_version, "tokens": encoder.gives_tokens()})
        waiting = [pk for (pk,) in cursor.fetchall()]
    return sum(_start(organization_id) for organization_id in waiting)


def _start(organization_id: UUID) -> bool:
    with tenancy.use(organization_id):
        latest = find_latest(organization_id=organization_id, subject_id=organization_id, kind=KIND)
        if latest is not None and not _is_over(latest):
            return False
        start_run(
            kind=KIND,
            principal=None,
            steps=[StepSpec("rag.embed_chunks")],
            subject=Subject("rag.index", organization_id),
        )
    return True


def _is_over(run: RunView) -> bool:
    """Return whether the next run may start: this one ended, and a failure was some time ago."""
    if run.finished_at is None:
        return False
    return run.state == RunState.SUCCEEDED or timezone.now() - run.finished_at >= PAUSE

"""The one task: look at a run. Its arguments are ids; everything else is in rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from apps.core.celery import OrganizationTask
from apps.runs.services import workers, working
from apps.runs.services.poking import TASK


@shared_task(name=TASK, base=OrganizationTask, bind=True, ignore_result=True, acks_late=True)
def work_on(self: Any, *, run_id: str, organization_id: str) -> None:  # noqa: ARG001 - read by the base
    """A poke: harmless twice, late or for a run that is over."""
    queue = (self.request.delivery_info or {}).get("routing_key") or ""
    working.work_on(run_id=UUID(run_id), queue=queue)


@worker_ready.connect(dispatch_uid="runs.worker_ready")
def begin(**_kwargs: Any) -> None:
    """Take work."""
    workers.stopping.clear()


@worker_shutting_down.connect(dispatch_uid="runs.worker_shutting_down")
def stop(**_kwargs: Any) -> None:
    """Let running steps leave at their next look, so that a stop takes seconds, not the length of a step."""
    workers.stopping.set()

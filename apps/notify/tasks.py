"""The one task: look at what is due to a person. Its arguments are ids; everything else is in rows."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from apps.core.celery import OrganizationTask
from apps.notify.services import dispatching
from apps.notify.services.poking import TASK


@shared_task(name=TASK, base=OrganizationTask, ignore_result=True, acks_late=True)
def deliver(*, principal_id: str, organization_id: str) -> None:  # noqa: ARG001 - read by the base
    """A poke: harmless twice, late, or when nothing is due any more."""
    dispatching.deliver_to(UUID(principal_id))

"""The base of our Celery tasks: one organization, and connections that go back when the task ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from celery import Task
from django.db import connections
from structlog.contextvars import bound_contextvars

from apps.core import origin, tenancy


class OrganizationTask(Task):  # type: ignore[type-arg]  # not subscriptable at run time
    """A task that gets ids only and works for the organization of its argument `organization_id`."""

    abstract = True
    ignore_result = True
    acks_late = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Open the organization, run, and return the thread's connections to the pool."""
        try:
            with (
                tenancy.use(UUID(str(kwargs["organization_id"]))),
                bound_contextvars(task=self.name, request_id=self.request.id or uuid4().hex),
                origin.acting(),
            ):
                return super().__call__(*args, **kwargs)
        finally:
            connections.close_all()

"""Runs for operators: what waits, what failed and why; cancel and retry go through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core import tenancy
from apps.core.admin_base import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.runs.models import Attempt, Run, Step
from apps.runs.services.runs import cancel_as_house, retry_as_house


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin[Run]):
    """One row for each piece of durable work."""

    list_display = ("id", "kind", "organization", "state", "steps_done", "steps_total", "steps_failed", "error_code",
                    "created_at", "finished_at")  # fmt: skip
    list_select_related = ("organization",)
    list_filter = ("state", "kind", "queue")
    search_fields = ("=id", "=subject_id", "=principal__id")
    exclude = ("input", "result")  # may hold what people wrote
    actions = ("cancel", "retry")

    @admin.action(description=_("Cancel"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Stop the chosen runs."""
        done = _for_each(queryset, cancel_as_house)
        text = ngettext("%(count)s run cancelled.", "%(count)s runs cancelled.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("Try failed steps again"), permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Try the failed steps of the chosen runs again; runs without any are left alone."""
        done = _for_each(queryset, retry_as_house)
        text = ngettext("%(count)s run tried again.", "%(count)s runs tried again.", done) % {"count": done}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin[Step]):
    """The parts of runs."""

    list_display = (
        "name",
        "key",
        "run",
        "state",
        "attempts",
        "losses",
        "error_code",
        "started_at",
        "finished_at",
    )
    list_select_related = ("run",)
    list_filter = ("state", "name")
    search_fields = ("=id", "=run__id")
    exclude = ("input", "result")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    """Each try, with its worker and, where one crashed, its trace."""

    list_display = ("step", "number", "outcome", "error_code", "worker", "started_at", "finished_at")
    list_select_related = ("step",)
    list_filter = ("outcome",)
    search_fields = ("=step__id", "=step__run__id")


def _for_each(queryset: QuerySet[Run], act: Callable[..., Any]) -> int:
    """Act on each run in its organization; return how many were changed."""
    done = 0
    chosen: list[tuple[UUID, UUID]] = list(queryset.values_list("pk", "organization_id"))
    for run_id, organization_id in chosen:
        with tenancy.use(organization_id):
            try:
                act(run_id=run_id)
            except DomainError:
                continue  # nothing to do for this one
        done += 1
    return done

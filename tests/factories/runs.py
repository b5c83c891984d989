"""Runs: started for a member, and worked off without a worker process."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.accounts.models import Member
from apps.core import tenancy
from apps.runs.models import Run
from apps.runs.services.runs import start_run
from apps.runs.services.working import work_on
from apps.runs.types import OPEN_STATES, RunView, StepSpec
from tests.factories.accounts import principal_of
from tests.walls import everywhere


def run_of(member: Member, *steps: StepSpec, **options: Any) -> RunView:
    """Start a run of kind `tests` as a member."""
    with tenancy.use(member.organization_id):
        return start_run(principal=principal_of(member), steps=steps, **{"kind": "tests", **options})


def work(run: RunView) -> bool:
    """Work on a run once, as a poked worker does."""
    with tenancy.use(run.organization_id):
        return work_on(run_id=run.id)


def work_off(*, most: int = 100) -> int:
    """Work on whatever is open and due until nothing is; return how many rounds that took."""
    for done in range(most):
        with everywhere():
            rows = list(Run.objects.filter(state__in=OPEN_STATES).values_list("pk", "organization_id"))
        if not sum(_work_one(*row) for row in rows):
            return done
    raise AssertionError(f"still open after {most} rounds")


def _work_one(run_id: UUID, organization_id: UUID) -> bool:
    with tenancy.use(organization_id):
        return work_on(run_id=run_id)

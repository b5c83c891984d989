"""Runs as things whose access is decided and explained."""

from __future__ import annotations

import re
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.services.objects import ID, ObjectFacts, ObjectKind
from apps.accounts.types import Principal
from apps.runs.models import Run
from apps.runs.selectors.runs import run_rules, visible_runs


def _run(asker: Principal, run_id: UUID) -> ObjectFacts | None:
    row = Run.objects.filter(organization_id=asker.organization_id, pk=run_id).first()
    if row is None:
        return None
    name = row.kind if visible_runs(asker).filter(pk=run_id).exists() else ""
    return ObjectFacts(name, (row.scope_id,) if row.scope_id else (), row.principal_id)


RUN = ObjectKind(
    name="run",
    label=_("Run"),
    rows=lambda organization_id: Run.objects.filter(organization_id=organization_id),
    rules=run_rules,
    find=_run,
    address=re.compile(rf"/runs/(?P<id>{ID})"),
)

"""The parts of exports of conversations and organizations."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy

from apps.runs.selectors.naming import register_kind, register_subjects
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.security.selectors.data_exports import export_names
from apps.security.services import data_exports
from apps.security.steps.privacy import COLLECTING, HOUR, PACKING
from apps.security.types import DATA_EXPORT, EXPORT_SUBJECT


@step("exports.write_part", timeout_seconds=12 * HOUR)
def write_part(context: StepContext, *, export_id: UUID, part: str) -> int:
    """Write one part; a second try writes it anew."""
    context.progress(0, 0, COLLECTING)
    return data_exports.write_part(
        organization_id=context.organization_id, export_id=export_id, part=part, check=context.heartbeat
    )


@step("exports.pack", timeout_seconds=12 * HOUR)
def pack(context: StepContext, *, export_id: UUID) -> int:
    """Make the archive."""
    context.progress(0, 0, PACKING)
    return data_exports.pack(organization_id=context.organization_id, export_id=export_id)


register_kind(DATA_EXPORT, gettext_lazy("Export"))
register_subjects(EXPORT_SUBJECT, export_names)

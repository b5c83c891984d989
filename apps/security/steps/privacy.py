"""The parts of exports and erasures. Inputs are ids: nothing about the person lies in the rows of a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.security.services import erasure, exporting

ERASING, VERIFYING = gettext_noop("Erasing"), gettext_noop("Searching for what is left")
COLLECTING, PACKING = gettext_noop("Collecting"), gettext_noop("Packing")
HOUR = 3600.0


@step("privacy.export_data", timeout_seconds=HOUR)
def export_data(context: StepContext, *, request_id: UUID, data: str) -> dict[str, int]:
    """Write one kind of data; a second try writes it anew."""
    context.progress(0, 0, COLLECTING)
    return exporting.export_one(
        organization_id=context.organization_id, request_id=request_id, data=data, check=context.heartbeat
    )


@step("privacy.pack_export", timeout_seconds=HOUR)
def pack_export(context: StepContext, *, request_id: UUID) -> int:
    """Make the archive."""
    context.progress(0, 0, PACKING)
    return exporting.pack_export(organization_id=context.organization_id, request_id=request_id)


@step("privacy.erase_data", timeout_seconds=HOUR)
def erase_data(context: StepContext, *, request_id: UUID, data: str) -> dict[str, int]:
    """Erase one kind of data; a second try goes on with what is left."""
    context.progress(0, 0, ERASING)
    return erasure.erase_one(
        organization_id=context.organization_id,
        request_id=request_id,
        data=data,
        beat=lambda done: context.progress(done, 0),
    )


@step("privacy.verify_erasure", timeout_seconds=HOUR, max_attempts=2)
def verify_erasure(context: StepContext, *, request_id: UUID) -> dict[str, Any]:
    """Search the whole database for the person."""
    context.progress(0, 0, VERIFYING)
    return erasure.verify(organization_id=context.organization_id, request_id=request_id)


@step("privacy.certify_erasure")
def certify_erasure(context: StepContext, *, request_id: UUID) -> str:
    """Seal the certificate and forget who it was."""
    return erasure.certify(organization_id=context.organization_id, request_id=request_id)

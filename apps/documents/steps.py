"""The steps of reading a document: open it, read each page, say that all are settled."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop

from apps.documents.services import reading
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec

OPENING = gettext_noop("Opening the document")
READING = gettext_noop("Reading pages")


@step("documents.open", queue="ingest", max_attempts=3, timeout_seconds=120)
def open_document(context: StepContext, *, document_id: UUID, version: int) -> int:
    """Find what the document has, and add a step for each page; return the number of pages."""
    context.progress(0, 1, OPENING)
    try:
        outline = reading.open_document(
            organization_id=context.organization_id, document_id=document_id, version=version
        )
    except reading.Gone:
        return 0
    target = {"document_id": document_id, "version": version}
    context.add_steps(
        [
            StepSpec(
                "documents.read_page",
                {**target, "number": number},
                key=str(number),
                position=1,
                optional=True,
            )
            for number in range(1, outline.page_count + 1)
        ]
    )
    context.add_steps([StepSpec("documents.settle", target, position=2)])
    context.progress(1, 1, READING)
    return outline.page_count


@step(
    "documents.read_page",
    queue="ingest",
    max_attempts=2,
    timeout_seconds=180,
    backoff_seconds=5,
    optional=True,
)
def read_page(context: StepContext, *, document_id: UUID, version: int, number: int) -> int:
    """Read one page and keep it; return how many characters it has. A page read before is read again."""
    context.cancelled()
    try:
        reader = context.keep(
            f"reader:{document_id}:{version}",
            lambda: reading.page_reader(
                organization_id=context.organization_id, document_id=document_id, version=version
            ),
        )
        found = reader.page(number)
        reading.store_page(
            organization_id=context.organization_id, document_id=document_id, version=version, found=found
        )
    except reading.Gone:
        return 0
    return len(getattr(found, "text", ""))


@step("documents.settle", queue="ingest")
def settle(context: StepContext, *, document_id: UUID, version: int) -> None:
    """Say that all pages are settled."""
    try:
        reading.settle(organization_id=context.organization_id, document_id=document_id, version=version)
    except reading.Gone:
        return

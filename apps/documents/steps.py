"""The steps of reading a document (open, each page, end) and of synchronizing a source (list, each thing, end)."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop

from apps.documents.services import reading, syncing
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec

OPENING = gettext_noop("Opening the document")
READING = gettext_noop("Reading pages")
LISTING = gettext_noop("Looking at the source")
FETCHING = gettext_noop("Reading what changed")
REMOVING = gettext_noop("Removing its documents")


@step("documents.open", queue="ingest", max_attempts=3, timeout_seconds=120)
def open_document(context: StepContext, *, document_id: UUID, version: int) -> int:
    """Find what the document has, and add a step for each page; return the number of pages."""
    context.progress(0, 1, OPENING)
    try:
        reader = _reader(context, document_id=document_id, version=version)
        outline = reading.open_document(
            organization_id=context.organization_id, document_id=document_id, version=version, reader=reader
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
        found = _reader(context, document_id=document_id, version=version).page(number)
        reading.store_page(
            organization_id=context.organization_id, document_id=document_id, version=version, found=found
        )
    except reading.Gone:
        return 0
    return len(getattr(found, "text", ""))


def _reader(context: StepContext, *, document_id: UUID, version: int) -> reading.PageReader:
    """The process that opened the document reads its pages, as long as one worker does both."""
    return context.keep(
        f"reader:{document_id}:{version}",
        lambda: reading.page_reader(
            organization_id=context.organization_id, document_id=document_id, version=version
        ),
    )


@step("documents.settle", queue="ingest")
def settle(context: StepContext, *, document_id: UUID, version: int) -> None:
    """Say that all pages are settled."""
    try:
        reading.settle(organization_id=context.organization_id, document_id=document_id, version=version)
    except reading.Gone:
        return


@step("documents.list_source", queue="ingest", max_attempts=1, timeout_seconds=600)
def list_source(context: StepContext, *, source_id: UUID, allowed: int) -> int:
    """Note what a source has; add a step for each thing to read, and the end. Return how many there are to read."""
    context.progress(0, 1, LISTING)
    listed = syncing.list_items(
        organization_id=context.organization_id, source_id=source_id, run_id=context.run.id
    )
    context.add_steps(
        [
            StepSpec(
                "documents.read_item",
                {"source_id": source_id, "item_id": item_id},
                key=str(item_id),
                position=1,
                optional=True,
            )
            for item_id in listed.to_read
        ]
    )
    end = {"source_id": source_id, "known": listed.known, "allowed": allowed}
    context.add_steps([StepSpec("documents.finish_source", end, position=2)])
    context.progress(1, 1, FETCHING)
    return len(listed.to_read)


@step("documents.read_item", queue="ingest", max_attempts=1, timeout_seconds=300, optional=True)
def read_item(context: StepContext, *, source_id: UUID, item_id: UUID) -> str:
    """Read one thing of a source; return what became of it."""
    context.cancelled()
    return syncing.read_item(
        organization_id=context.organization_id, source_id=source_id, item_id=item_id, keep=context.keep
    )


@step("documents.finish_source", queue="ingest")
def finish_source(context: StepContext, *, source_id: UUID, known: int, allowed: int) -> int:
    """Remove what is gone, and say how it went; return how many documents went."""
    context.cancelled()
    return syncing.finish(
        organization_id=context.organization_id, source_id=source_id, known=known, allowed=allowed
    )


@step("documents.remove_source", queue="ingest", timeout_seconds=600)
def remove_source(context: StepContext, *, source_id: UUID) -> None:
    """Remove the documents of a source, then the source."""
    context.progress(0, 0, REMOVING)
    while syncing.remove_some(organization_id=context.organization_id, source_id=source_id):
        context.heartbeat()

"""What reading a document and reading its next content have in common."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

from apps.accounts.types import Principal
from apps.core.events import log
from apps.documents import events
from apps.documents.models import Document, DocumentPage, Renewal
from apps.documents.types import INGEST, SUBJECT, PageState
from apps.runs.services import runs
from apps.runs.types import StepSpec, Subject

LONGEST_TITLE: Final = 300


def about(row: Document) -> dict[str, Any]:
    """Return what all events of a document say."""
    return {
        "organization_id": row.organization_id,
        "stream_id": row.pk,
        "scope_id": row.scope_id,
        "document_id": row.pk,
        "version": row.version,
    }


def titled(name: str) -> str:
    """Return what a document is called as long as its content says nothing else."""
    return (PurePath(name).stem or name)[:LONGEST_TITLE]


def start_reading(principal: Principal, document: Document, content: Document | Renewal) -> None:
    """Begin the run that reads a content of a document, inside the caller's transaction."""
    run = runs.start_run(
        kind=INGEST,
        principal=principal,
        steps=[StepSpec("documents.open", {"document_id": document.pk, "version": content.version})],
        subject=Subject(SUBJECT, document.pk),
        scope_id=document.scope_id,
        conversation_id=document.conversation_id,
        retry_key=f"{document.pk}:{content.version}",
    )
    content.run_id = run.id
    content.save(update_fields=["run_id"])


def announce_pages(document: Document) -> None:
    """Say of each page of a document that it can be read anew: what was made of it is made again."""
    rows = DocumentPage.objects.filter(
        document=document, version=document.version, state=PageState.PARSED
    ).order_by("number")
    facts = about(document)
    numbers = rows.values_list("number", flat=True)
    log.record_many([events.PageParsed(**facts, page=number) for number in numbers])


def end_reading(content: Document | Renewal) -> None:
    """Stop the run that reads a content; what ended already stays as it is."""
    if content.run_id is not None:
        runs.cancel_as_house(run_id=content.run_id)

"""The files a person uploaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.core.data_subjects import ExportFile, Person
from apps.files.models import StoredFile
from apps.files.store import store
from apps.files.types import FileState

_PAGE = 500


def files_of(person: Person) -> QuerySet[StoredFile]:
    """Return the person's files and running uploads, pictures of itself too."""
    return StoredFile.objects.filter(organization_id=person.organization_id, uploader_id=person.id)


def export_files(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield what is known of the person's files; `content` is the file's name in the export."""
    for row in files_of(person).order_by("pk"):
        yield {
            "id": row.pk,
            "name": row.name,
            "purpose": row.purpose,
            "media_type": row.media_type,
            "size_bytes": row.declared_size_bytes,
            "state": row.state,
            "created_at": row.created_at,
            "content": _name(row) if row.state == FileState.READY else "",
        }


def contents_of(person: Person) -> Iterator[ExportFile]:
    """Yield the person's ready files."""
    yield from contents(files_of(person))


def contents_of_all(organization_id: UUID) -> Iterator[ExportFile]:
    """Yield every ready file of an organization, for callers that decided about rights."""
    yield from contents(StoredFile.objects.filter(organization_id=organization_id))


def contents_for(*, organization_id: UUID, file_ids: Collection[UUID]) -> Iterator[ExportFile]:
    """Yield some ready files, for the app that carries them and decided about rights."""
    yield from contents(StoredFile.objects.filter(organization_id=organization_id, pk__in=file_ids))


def contents(rows: QuerySet[StoredFile]) -> Iterator[ExportFile]:
    """Yield the ready ones of these, page by page."""
    ready = rows.filter(state=FileState.READY).order_by("pk")
    after = UUID(int=0)
    while page := list(ready.filter(pk__gt=after)[:_PAGE]):
        for row in page:
            yield ExportFile(_name(row), partial(store().open, row.storage_key))
        after = page[-1].pk


def export_name(*, file_id: UUID, name: str) -> str:
    """Return a name no other file has and no program mistakes for a path."""
    safe = "".join(char if char.isalnum() or char in "-_. " else "_" for char in name).strip(". ")
    return f"{file_id}-{safe[-80:] or 'file'}"


def _name(row: StoredFile) -> str:
    return export_name(file_id=row.pk, name=row.name)

"""The files a person uploaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.db.models import QuerySet

from apps.core.data_subjects import ExportFile, Person
from apps.files.models import StoredFile
from apps.files.store import store
from apps.files.types import FileState


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
    for row in files_of(person).filter(state=FileState.READY).order_by("pk"):
        yield ExportFile(_name(row), partial(store().open, row.storage_key))


def _name(row: StoredFile) -> str:
    """Return a name no other file has and no program mistakes for a path."""
    safe = "".join(char if char.isalnum() or char in "-_. " else "_" for char in row.name).strip(". ")
    return f"{row.pk}-{safe[-80:] or 'file'}"

"""Which audiences may open a file. The app that carries the file decides about rights first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core import tenancy
from apps.files.errors import FileNotFound
from apps.files.models import FileScope, StoredFile
from apps.files.types import FileState


def attach(*, file_id: UUID, scope_id: UUID) -> None:
    """Let an audience of the current organization open a ready file; harmless twice.

    Raises:
        FileNotFound: missing, or not ready.
    """
    with transaction.atomic():
        found = StoredFile.objects.filter(
            organization_id=tenancy.current(), pk=file_id, state=FileState.READY
        ).select_for_update(no_key=True)
        if found.first() is None:
            raise FileNotFound
        FileScope.objects.get_or_create(organization_id=tenancy.current(), file_id=file_id, scope_id=scope_id)


def may_attach(*, organization_id: UUID, uploader_id: UUID, file_ids: Collection[UUID]) -> bool:
    """Return whether all are ready files that this principal uploaded here: what the write path asks too."""
    wanted = set(file_ids)
    found = StoredFile.objects.filter(
        organization_id=organization_id, uploader_id=uploader_id, state=FileState.READY, pk__in=wanted
    )
    return not wanted or found.count() == len(wanted)


def keep(*, file_ids: Iterable[UUID], until: datetime) -> None:
    """Do not remove files before a time although nothing carries them yet."""
    StoredFile.objects.filter(organization_id=tenancy.current(), pk__in=list(file_ids)).update(
        kept_until=until
    )


def release(*, file_ids: Iterable[UUID], scope_id: UUID, keep_until: datetime | None = None) -> None:
    """Take files away from an audience, because nothing of that scope carries them any more.

    A file without any audience is its uploader's again, until a duty removes it; not before `keep_until`, up to which
    what carried it can come back.
    """
    released = list(file_ids)
    if keep_until is not None:
        StoredFile.objects.filter(organization_id=tenancy.current(), pk__in=released).update(
            kept_until=keep_until
        )
    FileScope.objects.filter(
        organization_id=tenancy.current(), file_id__in=released, scope_id=scope_id
    ).delete()


def move(*, file_ids: Iterable[UUID], scope_id: UUID, to_scope_id: UUID) -> None:
    """Let another audience open files instead of this one, since when this one could. Two statements."""
    rows = FileScope.objects.filter(organization_id=tenancy.current(), file_id__in=list(file_ids))
    there = rows.filter(scope_id=to_scope_id).values("file_id")
    moved = rows.filter(scope_id=scope_id)
    moved.exclude(file_id__in=there).update(scope_id=to_scope_id)
    moved.delete()

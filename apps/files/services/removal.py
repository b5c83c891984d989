"""Remove files: rows first, bytes after the commit, and only when no other row needs them.

A process that ends between the two leaves bytes that nobody knows any more, so the event of the removal takes them
away once more.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.events import log
from apps.files import actions, events
from apps.files.errors import FileInUse, FileNotFound
from apps.files.models import FileScope, StoredFile
from apps.files.services.locks import lock
from apps.files.store import store
from apps.files.types import FileState, Purpose

ABANDONED = timedelta(hours=24)
UNATTACHED = timedelta(days=7)
BATCH = 200
logger = logging.getLogger(__name__)


def delete_file(*, principal: Principal, file_id: UUID) -> None:
    """Cancel an own upload, or delete an own file that nothing carries.

    Raises:
        FileNotFound: missing, or another's.
        FileInUse: a message or a document carries it.
    """
    with transaction.atomic():
        row = (
            StoredFile.objects.filter(
                organization_id=principal.organization_id, uploader_id=principal.id, pk=file_id
            )
            .select_for_update()
            .first()
        )
        if row is None:
            raise FileNotFound
        if FileScope.objects.filter(file_id=file_id).exists():
            raise FileInUse
        trail.note(principal, actions.DELETED, "file", row.pk, size_bytes=row.declared_size_bytes)
        remove(row)


def remove_unused(*, file_ids: list[UUID]) -> int:
    """Remove those files of the current organization that no audience may open any more; return how many."""
    unused = _unattached().filter(organization_id=tenancy.current(), pk__in=file_ids)
    return _remove_each(unused)


def remove_abandoned() -> int:
    """Remove uploads without a byte for a day and files unattached for a week, of all organizations."""
    unfinished = StoredFile.objects.exclude(state=FileState.READY).filter(touched_at__lt=Now() - ABANDONED)
    unattached = _unattached().filter(
        state=FileState.READY, purpose=Purpose.ATTACHMENT, ready_at__lt=Now() - UNATTACHED
    )
    return _remove_each(unfinished) + _remove_each(unattached)


def remove(row: StoredFile) -> None:
    """Delete a locked row inside the caller's transaction; the bytes go after the commit."""
    key, file_id = row.storage_key, row.pk
    log.record(
        events.FileRemoved(
            organization_id=row.organization_id,
            stream_id=row.organization_id,
            file_id=file_id,
            storage_key=key,
        )
    )
    lock("files.content", row.organization_id, bytes(row.sha256 or b"").hex())
    row.delete()
    organization_id = row.organization_id
    transaction.on_commit(
        lambda: remove_bytes(organization_id=organization_id, file_id=file_id, storage_key=key), robust=True
    )


def remove_bytes(*, organization_id: UUID, file_id: UUID, storage_key: str) -> None:
    """Take away what a removed file left in the store, unless another file has the same bytes; twice is harmless.

    Who begins to share bytes holds their lock until it commits, and so does who removes a row: whoever else needs
    them is seen here.
    """
    for part in (str(file_id), f"{file_id}-clean"):
        store().remove_part(part)
    with tenancy.use(organization_id):
        is_needed = StoredFile.objects.filter(storage_key=storage_key).exists()
    if not is_needed:
        store().remove(storage_key)


def _remove_each(wanted: QuerySet[StoredFile]) -> int:
    found = list(wanted.values_list("organization_id", "pk")[:BATCH])
    return sum(_remove_one(wanted, organization_id, file_id) for organization_id, file_id in found)


def _remove_one(wanted: QuerySet[StoredFile], organization_id: UUID, file_id: UUID) -> int:
    try:
        with tenancy.use(organization_id), transaction.atomic():
            row = wanted.filter(pk=file_id).select_for_update(skip_locked=True).first()
            if row is None:
                return 0  # being finished or attached at this moment
            remove(row)
    except IntegrityError:
        logger.warning("file.still_referenced", extra={"file": str(file_id)})
        return 0
    return 1


def _unattached() -> QuerySet[StoredFile]:
    is_carried = Exists(FileScope.objects.filter(file_id=OuterRef("pk")))
    return StoredFile.objects.filter(~is_carried, Q(kept_until=None) | Q(kept_until__lt=Now()))

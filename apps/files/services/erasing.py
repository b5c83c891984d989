"""Erase the files a person uploaded, except what somebody else carries."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.core.data_subjects import Batch, Person
from apps.files.models import FileScope, StoredFile
from apps.files.selectors.personal import files_of
from apps.files.services.removal import remove

BATCH = 200


def erase_files_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next files of the person; one that others' messages or documents carry loses its uploader only.

    The person's own messages and documents are gone by now, so an audience that is left is somebody else's. Bytes go
    after the commit, unless another file of the organization has the same.
    """
    rows = list(files_of(person).order_by("pk").select_for_update()[:BATCH])
    for row in rows:
        if FileScope.objects.filter(file_id=row.pk).exists() or not _removed(row):
            StoredFile.objects.filter(pk=row.pk).update(uploader_id=person.placeholder_id)
    return Batch(len(rows), "more" if rows else None)


def _removed(row: StoredFile) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            remove(row)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # whoever still points at it says so now
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError:
        return False
    return True

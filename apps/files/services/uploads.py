"""Uploads in parts, which go on after a break: begin, append at exactly where it stands, finish, cancel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Protocol
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core.errors import DomainError
from apps.files import images
from apps.files.errors import (
    ChunkTooLarge,
    EmptyFile,
    FileNotFound,
    FileTooLarge,
    MoreThanAnnounced,
    QuotaExceeded,
    StorageFull,
    TooManyUploads,
    UploadFailed,
    WrongOffset,
)
from apps.files.models import StoredFile
from apps.files.names import clean_name
from apps.files.selectors.files import used_bytes, view_of
from apps.files.services.locks import lock
from apps.files.sniffing import sniff
from apps.files.store import new_key, sha256, store
from apps.files.types import CHUNK_BYTES, FileState, FileView

MOST_AT_ONCE = 4
AT_ONCE = timedelta(seconds=20)  # an upload that got nothing for so long does not count as running
LARGEST_PICTURE_MB = 50  # its metadata is taken out in memory
MEGABYTE = 1024 * 1024
GIGABYTE = 1024 * MEGABYTE


class Uploader(Protocol):
    """Whose file it is, in which organization: a principal, or somebody whose files are imported."""

    @property
    def id(self) -> UUID: ...
    @property
    def organization_id(self) -> UUID: ...


@dataclass(frozen=True)
class Author:
    """Who once sent a file elsewhere."""

    organization_id: UUID
    id: UUID


def begin(*, principal: Principal, name: str, size_bytes: int) -> FileView:
    """Announce a file; `append` its bytes then.

    Args:
        name: cleaned here; what it says of the type is held against the content at the end.

    Raises:
        PermissionMissing, EmptyFile, FileTooLarge, QuotaExceeded, TooManyUploads.
    """
    access.require(principal, "file.upload")
    limit = settings.CONFIGURATION.files.upload_limit_mb
    if size_bytes > limit * MEGABYTE:
        raise FileTooLarge(limit_mb=limit)
    with transaction.atomic():
        lock("files.quota", principal.organization_id)
        running = StoredFile.objects.filter(
            organization_id=principal.organization_id,
            uploader_id=principal.id,
            state=FileState.UPLOADING,
            touched_at__gt=Now() - AT_ONCE,
        )
        if running.count() >= MOST_AT_ONCE:
            raise TooManyUploads(limit=MOST_AT_ONCE, retry_after_seconds=2)
        return _announce(principal, name, size_bytes)


def _announce(uploader: Uploader, name: str, size_bytes: int) -> FileView:
    if size_bytes < 1:
        raise EmptyFile
    limit = settings.CONFIGURATION.files.quota_gb
    with transaction.atomic():
        lock("files.quota", uploader.organization_id)
        if used_bytes(uploader.organization_id) + size_bytes > limit * GIGABYTE:
            raise QuotaExceeded(limit_gb=limit)
        row = StoredFile.objects.create(
            organization_id=uploader.organization_id,
            uploader_id=uploader.id,
            name=clean_name(name),
            declared_size_bytes=size_bytes,
            storage_key=new_key(uploader.organization_id),
        )
    return view_of(row)


def append(*, principal: Uploader, file_id: UUID, offset: int, data: bytes) -> FileView:
    """Add bytes at exactly where the upload stands; the last ones finish it. A finished one is returned.

    Raises:
        FileNotFound: missing, or another's.
        WrongOffset: with `received_bytes`, where to go on.
        MoreThanAnnounced, ChunkTooLarge, EmptyFile, UploadFailed, StorageFull: nothing of this part was kept.
        TypeMismatch, TypeRefused, PictureUnreadable, PictureTooLarge: the whole file is refused and its bytes
        gone.
    """
    if len(data) > CHUNK_BYTES:
        raise ChunkTooLarge(limit_mb=CHUNK_BYTES // MEGABYTE)
    with transaction.atomic():
        row = _lock_own(principal, file_id)
        if row.state == FileState.READY:
            return view_of(row)
        if row.state == FileState.FAILED:
            raise UploadFailed
        if offset != row.received_bytes:
            raise WrongOffset(received_bytes=row.received_bytes)
        if offset + len(data) > row.declared_size_bytes:
            raise MoreThanAnnounced
        if not data and offset < row.declared_size_bytes:
            raise EmptyFile
        if data:
            store().append(str(row.pk), offset, data)
            row.received_bytes, row.touched_at = offset + len(data), timezone.now()
            row.save(update_fields=["received_bytes", "touched_at"])
        if row.received_bytes < row.declared_size_bytes:
            return view_of(row)
    return finish(principal=principal, file_id=file_id)


def finish(*, principal: Uploader, file_id: UUID) -> FileView:
    """Examine an upload whose bytes have all arrived, and keep it; called by the last `append`.

    Raises:
        As `append`.
    """
    refusal: DomainError | None = None
    with transaction.atomic():
        row = _lock_own(principal, file_id)
        if row.state != FileState.UPLOADING or row.received_bytes < row.declared_size_bytes:
            return view_of(row)
        try:
            part = _examine(row)
        except StorageFull:
            raise  # all bytes are there: the client asks again when there is room
        except DomainError as error:
            refusal = error
            row.state, row.failure_code = FileState.FAILED, error.code
            row.save(update_fields=["state", "failure_code"])
        else:
            _keep(row, part)
    _remove_parts(file_id)
    if refusal is not None:
        raise refusal
    return view_of(row)


def store_file(*, principal: Principal, name: str, data: bytes) -> FileView:
    """Upload a whole file at once, with all checks; for demo data.

    Raises:
        As `begin` and `append`.
    """
    upload = begin(principal=principal, name=name, size_bytes=len(data))
    for offset in range(0, len(data), CHUNK_BYTES):
        upload = append(
            principal=principal, file_id=upload.id, offset=offset, data=data[offset : offset + CHUNK_BYTES]
        )
    return upload


def store_stream(*, uploader: Uploader, name: str, size_bytes: int, source: BinaryIO) -> FileView:
    """Store a file of somebody who need not be here, as it is read; all checks but the limit of one upload.

    For imports, which have decided about rights. Content that ends early leaves nothing that can be opened.

    Raises:
        EmptyFile, QuotaExceeded, UploadFailed: fewer bytes than announced; and as `append`.
    """
    upload = _announce(uploader, name, size_bytes)
    while not upload.is_ready:
        data = source.read(min(CHUNK_BYTES, size_bytes - upload.received_bytes))
        if not data:
            raise UploadFailed
        upload = append(principal=uploader, file_id=upload.id, offset=upload.received_bytes, data=data)
    return upload


def _lock_own(principal: Uploader, file_id: UUID) -> StoredFile:
    row = (
        StoredFile.objects.filter(
            organization_id=principal.organization_id, uploader_id=principal.id, pk=file_id
        )
        .select_for_update(no_key=True)
        .first()
    )
    if row is None:
        raise FileNotFound
    return row


def _examine(row: StoredFile) -> str:
    """Find the type and measure a picture; return the part to keep: another one when it was cleaned."""
    part = str(row.pk)
    with store().open_part(part) as file:
        found = sniff(file, row.name)
        row.media_type = found.media_type
        if not found.is_picture:
            row.sha256 = sha256(file)
            return part
        if row.declared_size_bytes > LARGEST_PICTURE_MB * MEGABYTE:
            raise FileTooLarge(limit_mb=LARGEST_PICTURE_MB)
        row.width, row.height = images.measure(file)
        cleaned = images.without_metadata(file, found.media_type)
        if cleaned is None:
            row.sha256 = sha256(file)
            return part
    store().append(f"{part}-clean", 0, cleaned)
    with store().open_part(f"{part}-clean") as file:
        images.measure(file)
        row.sha256 = sha256(file)
    row.declared_size_bytes = row.received_bytes = len(cleaned)
    return f"{part}-clean"


def _keep(row: StoredFile, part: str) -> None:
    """Point at equal bytes of the organization, or make the part content before the row commits."""
    lock("files.content", row.organization_id, bytes(row.sha256 or b"").hex())
    twin = StoredFile.objects.filter(
        organization_id=row.organization_id, sha256=row.sha256, state=FileState.READY
    ).first()
    if twin is not None and twin.declared_size_bytes == row.declared_size_bytes:
        row.storage_key = twin.storage_key
    else:
        store().commit(part, row.storage_key)
    row.state, row.ready_at = FileState.READY, timezone.now()
    row.save()


def _remove_parts(file_id: UUID) -> None:
    for part in (str(file_id), f"{file_id}-clean"):
        store().remove_part(part)

"""Small pictures made from files: previews on demand, and the square beside a member's name."""

from __future__ import annotations

import hashlib
import io

from django.utils import timezone

from apps.accounts.types import Principal
from apps.files import images
from apps.files.errors import FileTooLarge, NotAPicture
from apps.files.models import StoredFile
from apps.files.names import clean_name
from apps.files.selectors.files import view_of
from apps.files.services.contents import made_once
from apps.files.services.uploads import MEGABYTE
from apps.files.sniffing import PICTURES, sniff
from apps.files.store import new_key, store
from apps.files.types import Content, FileState, FileView, Purpose

PREVIEW_SIDE = 640
AVATAR_SIDE = 256
EMOJI_SIDE = 128
LARGEST_AVATAR_MB = 8
SMALL_TYPE = "image/webp"


def preview(content: Content) -> bytes:
    """Return a small WebP of a picture, made at the first call and kept beside it.

    Raises:
        NotAPicture, PictureUnreadable, PictureTooLarge, ContentMissing, StorageFull.
    """
    if content.media_type not in PICTURES:
        raise NotAPicture
    return made_once(content, "preview", lambda: _preview(content))


def _preview(content: Content) -> bytes:
    with store().open(content.key) as original:
        return images.thumbnail(original, side=PREVIEW_SIDE)


def store_avatar(*, principal: Principal, name: str, data: bytes) -> FileView:
    """Keep a picture as the square that is shown beside a member; the caller puts its id into the profile.

    Raises:
        FileTooLarge, NotAPicture, TypeMismatch, PictureUnreadable, PictureTooLarge, StorageFull.
    """
    return _store_square(principal, name, data, purpose=Purpose.AVATAR, side=AVATAR_SIDE)


def store_emoji(*, principal: Principal, name: str, data: bytes) -> FileView:
    """Keep a picture as a small square that everyone in the organization may see; the caller carries it.

    Raises:
        FileTooLarge, NotAPicture, TypeMismatch, PictureUnreadable, PictureTooLarge, StorageFull.
    """
    return _store_square(principal, name, data, purpose=Purpose.EMOJI, side=EMOJI_SIDE)


def _store_square(principal: Principal, name: str, data: bytes, *, purpose: Purpose, side: int) -> FileView:
    if len(data) > LARGEST_AVATAR_MB * MEGABYTE:
        raise FileTooLarge(limit_mb=LARGEST_AVATAR_MB)
    if not sniff(io.BytesIO(data), clean_name(name)).is_picture:
        raise NotAPicture
    small = images.square(io.BytesIO(data), side=side)
    row = StoredFile.objects.create(
        organization_id=principal.organization_id,
        uploader_id=principal.id,
        purpose=purpose,
        name=f"{purpose}.webp",
        declared_size_bytes=len(small),
        received_bytes=len(small),
        media_type=SMALL_TYPE,
        sha256=hashlib.sha256(small).digest(),
        storage_key=new_key(principal.organization_id),
        width=side,
        height=side,
    )
    store().put(row.storage_key, small)  # a row that never becomes ready goes with its bytes after a day
    row.state, row.ready_at = FileState.READY, timezone.now()
    row.save(update_fields=["state", "ready_at"])
    return view_of(row)

"""What others see of files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

CHUNK_BYTES = 4 * 1024 * 1024


class FileState(models.TextChoices):
    """Where an upload is."""

    UPLOADING = "uploading", _("uploading")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class Purpose(models.TextChoices):
    """What a file is for; pictures of members and emoji are seen by the whole organization."""

    ATTACHMENT = "attachment", _("attachment")
    AVATAR = "avatar", _("profile picture")
    EMOJI = "emoji", _("emoji")


SMALL_PICTURES = (Purpose.AVATAR, Purpose.EMOJI)  # made by us, for everyone in the organization


@dataclass(frozen=True, kw_only=True)
class FileView:
    """A file as those who may open it see it.

    Attributes:
        size_bytes: of the stored bytes; while uploading, what was announced.
        received_bytes: how much has arrived; an upload goes on from here.
        media_type: by content, once ready.
        width, height: of pictures, in pixels.
        failure_code: why a failed upload failed.
    """

    id: UUID
    organization_id: UUID
    uploader_id: UUID
    name: str
    media_type: str
    size_bytes: int
    received_bytes: int
    state: FileState
    failure_code: str
    width: int | None
    height: int | None
    sha256: str
    created_at: datetime

    @property
    def is_ready(self) -> bool:
        """Return whether the file can be opened."""
        return self.state == FileState.READY


@dataclass(frozen=True)
class Content:
    """Where the bytes of a file lie, for whoever has checked the rights.

    Attributes:
        is_made_by_us: pixels we wrote ourselves, not bytes somebody sent.
    """

    key: str
    size_bytes: int
    media_type: str
    name: str
    is_made_by_us: bool = False

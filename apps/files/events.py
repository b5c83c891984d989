"""Events of files. They hold no names: only what is needed to take bytes away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import DomainEvent


@dataclass(frozen=True, kw_only=True)
class FileRemoved(DomainEvent):
    """The row of a file is gone; its bytes go, unless another row needs them. Stream: the organization."""

    type: ClassVar[str] = "file.removed"
    file_id: UUID
    storage_key: str

"""Duties of the relay, and what goes on once a file is removed."""

from __future__ import annotations

from apps.accounts.services.objects import register_object_kind
from apps.core.data_exports import ExportPart, add_export_part
from apps.core.events.subscribers import after_commit
from apps.core.relay.periodic import every
from apps.files.events import FileRemoved
from apps.files.selectors import explaining
from apps.files.selectors.personal import contents_of_all
from apps.files.services import removal

register_object_kind(explaining.FILE)
add_export_part(
    "organization",
    ExportPart(name="files", files=lambda wanted: contents_of_all(wanted.organization_id)),
)


@every(seconds=600)
def remove_abandoned_uploads() -> None:
    """Free the room of uploads nobody finished and of files nobody attached."""
    removal.remove_abandoned()


@after_commit(FileRemoved)
def remove_bytes_of_removed_file(event: FileRemoved) -> None:
    """Take the bytes away where the process that removed the row did not come to it."""
    removal.remove_bytes(
        organization_id=event.organization_id, file_id=event.file_id, storage_key=event.storage_key
    )

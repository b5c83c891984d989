"""Files of an export: stored where their bytes are in it, fetched where the administrator wants that, else a link."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from apps.chat.import_errors import SlackEntryRefused
from apps.chat.services.slack.archive import MEGABYTE, SlackArchive
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.shapes import SlackFile
from apps.core.errors import DomainError
from apps.core.outbound import fetching
from apps.core.outbound.types import Fetch
from apps.files.services.uploads import Author, store_stream
from apps.files.types import FileView


@dataclass(frozen=True)
class Attached:
    """What became of a file: stored, or a link, or neither."""

    file: FileView | None = None
    link: str = ""


class Attachments:
    """Stores the files of one conversation's messages."""

    def __init__(
        self, archive: SlackArchive, *, organization_id: UUID, place: str, fetches: bool, notes: Notes
    ) -> None:
        self._archive, self._organization_id, self._place = archive, organization_id, place
        self._fetches, self._notes = fetches, notes

    def store(self, file: SlackFile, *, author_id: UUID, moment: str) -> Attached:
        """Store one file of its author. What cannot be had is noted, and its address kept where it has one.

        Raises:
            QuotaExceeded, StorageFull: there is no room for any file; the run waits and goes on.
        """
        entry = self._archive.find_file(file.id)
        if entry is None and not self._fetches:
            self._note(
                "slack.file_gone" if file.is_gone or not file.address else "slack.file_linked", file, moment
            )
            return Attached(link="" if file.is_gone else file.address)
        try:
            if entry is None:
                return Attached(self._fetched(file, author_id))
            with self._archive.open(entry.name, most_bytes=_limit()) as source:
                return Attached(self._stored(file, source, entry.size_bytes, author_id))
        except SlackEntryRefused as error:
            self._note(error.reason, file, moment)
        except DomainError as error:
            if error.code in ("files.quota_exceeded", "files.storage_full"):
                raise
            self._note(error.code, file, moment)
        return Attached(link=file.address)

    def _stored(self, file: SlackFile, source: BinaryIO, size: int, author_id: UUID) -> FileView:
        return store_stream(
            uploader=Author(self._organization_id, author_id), name=file.name, size_bytes=size, source=source
        )

    def _fetched(self, file: SlackFile, author_id: UUID) -> FileView:
        if file.is_gone or not file.address:
            raise SlackEntryRefused("slack.file_gone")
        answer = fetching.fetch(Fetch(url=file.address, purpose="history_import"))
        if not answer.is_success or _is_sign_in(answer.content_type, file.name):
            raise SlackEntryRefused("slack.file_refused")
        return self._stored(file, io.BytesIO(answer.body), len(answer.body), author_id)

    def _note(self, code: str, file: SlackFile, moment: str) -> None:
        self._notes.add(code, self._place, moment, file.name)


def _is_sign_in(content_type: str, name: str) -> bool:
    """Return whether a page came instead of the file: Slack answers so where the link has no right any more."""
    return content_type == "text/html" and not name.lower().endswith((".html", ".htm"))


def _limit() -> int:
    return int(settings.CONFIGURATION.files.upload_limit_mb) * MEGABYTE

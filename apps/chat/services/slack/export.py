"""An export with its people and conversations read, kept open while a worker goes on with one import."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from apps.chat.import_errors import ImportNotReady, SlackEntryRefused, SlackExportRefused
from apps.chat.services.slack import archive
from apps.chat.services.slack.archive import LEFT_OUT, PLACES, SlackArchive
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.shapes import PlaceKind, SlackPerson, SlackPlace, read_person, read_place
from apps.files.selectors.files import find_content
from apps.files.services.contents import local_path


class SlackExport:
    """Who and what an export has.

    Attributes:
        source: the workspace, as well as the export tells: its team, or a mark of its first people.
    """

    def __init__(self, opened: SlackArchive, notes: Notes | None = None) -> None:
        self.archive = opened
        self._notes = notes
        self.people = self._people()
        self.places = self._places()
        self.source = self._source()
        if self._notes:
            self._note_names()
            self._count_left_out(self._notes)

    def _people(self) -> dict[str, SlackPerson]:
        found: dict[str, SlackPerson] = {}
        try:
            rows = self.archive.users()
        except SlackEntryRefused as error:
            raise SlackExportRefused(error.reason) from error
        for number, row in enumerate(rows):
            person = read_person(row)
            if person is None or person.id in found:
                self._note("slack.no_person" if person is None else "slack.twice", archive.USERS, str(number))
            else:
                found[person.id] = person
        return found

    def _places(self) -> dict[str, SlackPlace]:
        found: dict[str, SlackPlace] = {}
        folders: set[str] = set()
        for listing, kind in PLACES.items():
            for number, row in enumerate(self._listing(listing)):
                place = read_place(row, _KINDS[kind])
                if place is None:
                    self._note("slack.no_conversation", listing, str(number))
                elif place.id in found or place.folder in folders:
                    self._note("slack.twice", listing, str(number))
                else:
                    found[place.id] = place
                    folders.add(place.folder)
        return found

    def _listing(self, name: str) -> list[object]:
        try:
            return self.archive.listed(name)
        except SlackEntryRefused as error:
            self._note(error.reason, name)
            return []

    def _source(self) -> str:
        teams = sorted({person.team for person in self.people.values() if person.team})
        if len(teams) == 1:
            return teams[0]
        return hashlib.sha256(" ".join(sorted(self.people)[:20]).encode()).hexdigest()[:32]

    def _note_names(self) -> None:
        for name in self.archive.unsafe:
            self._note("slack.unsafe_name", name)
        for folder in sorted(self.archive.folders() - {place.folder for place in self.places.values()}):
            self._note("slack.unknown_folder", folder)
        for name in self.archive.unknown_listings():
            self._note("slack.unknown_file", name)

    def _count_left_out(self, notes: Notes) -> None:
        """Tell what is no conversation and no message, and what no export tells."""
        for listing, code in LEFT_OUT.items():
            if number := len(self._listing(listing)):
                notes.count(code, number)
        if untold := sum(place.bookmarks is None for place in self.places.values() if place.is_named):
            notes.count("slack.bookmarks_untold", untold)

    def _note(self, code: str, place: str, moment: str = "") -> None:
        if self._notes:
            self._notes.add(code, place, moment)


_KINDS: dict[str, PlaceKind] = {
    "channel": "channel", "private": "private", "group": "group", "direct": "direct",
}  # fmt: skip


@contextmanager
def opened(
    *, organization_id: UUID, file_id: UUID | None, notes: Notes | None = None
) -> Iterator[SlackExport]:
    """Open the export that was uploaded.

    Raises:
        ImportNotReady: its file is gone.
        SlackExportRefused.
    """
    content = find_content(organization_id=organization_id, file_id=file_id) if file_id else None
    if content is None:
        raise ImportNotReady
    with local_path(content) as path, archive.opened(path) as found:
        yield SlackExport(found, notes)

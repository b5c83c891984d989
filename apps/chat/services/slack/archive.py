"""A Slack export as it lies in a zip. Nothing is unpacked to a path, and nothing is read beyond what it may take.

Names and sizes of an archive are what somebody wrote into it: an archive with two entries of one name is refused as a
whole, a single entry that is unsafe, encrypted, damaged, too large or a bomb is refused alone.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from apps.chat.import_errors import SlackEntryRefused, SlackExportRefused

MEGABYTE = 1024 * 1024
MOST_JSON_BYTES = 64 * MEGABYTE  # of one file; Slack writes one a day and channel
MOST_DIRECTORY_BYTES = 128 * MEGABYTE  # of the names in the archive: all of them lie in memory
SMALL_BYTES = MEGABYTE
MOST_RATIO = 200  # text of people is packed to a tenth
LONGEST_NAME = 400
USERS = "users.json"
# What an export lists and an import leaves out; each is told by how many it lists.
LEFT_OUT = {
    "canvases.json": "slack.canvas",
    "integration_logs.json": "slack.app_log",
    "content_flags.json": "slack.content_flag",
}
PLACES = {"channels.json": "channel", "groups.json": "private", "mpims.json": "group", "dms.json": "direct"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
_FILE = re.compile(r"(?:^|[/])(F[A-Z0-9]{6,20})(?=[-_/.])")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x06"


@dataclass(frozen=True)
class StoredEntry:
    """A file that lies in the archive itself."""

    name: str
    size_bytes: int


class SlackArchive:
    """An opened export.

    Attributes:
        unsafe: names of entries that are left alone.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.unsafe: list[str] = []
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._days: dict[str, list[str]] = {}
        self._files: dict[str, str] = {}
        self._root = ""
        self._take_names()

    def listed(self, listing: str) -> list[Any]:
        """Return the rows of `channels.json` and the like; none where the export has no such file.

        Raises:
            SlackEntryRefused.
        """
        return self.rows(self._root + listing) if self._root + listing in self._entries else []

    def users(self) -> list[Any]:
        """Return the rows of `users.json`.

        Raises:
            SlackEntryRefused.
        """
        return self.rows(self._root + USERS)

    def days_of(self, folder: str) -> list[str]:
        """Return the names of a channel's files, oldest day first."""
        return self._days.get(folder, [])

    def unknown_listings(self) -> list[str]:
        """Return the names of files beside the known lists."""
        known = {USERS, *PLACES, *LEFT_OUT}
        beside = (name.removeprefix(self._root) for name in self._entries if name.startswith(self._root))
        return sorted(name for name in beside if "/" not in name and name not in known)

    def folders(self) -> set[str]:
        """Return the folders with messages."""
        return set(self._days)

    def rows(self, name: str) -> list[Any]:
        """Return one file's list; its items may be anything.

        Raises:
            SlackEntryRefused: too large, a bomb, damaged, no JSON, or no list.
        """
        found = _parsed(self._read(name))
        if not isinstance(found, list):
            raise SlackEntryRefused("slack.wrong_shape")
        return found

    def find_file(self, file_id: str) -> StoredEntry | None:
        """Return where the export keeps the bytes of a file itself, if it does."""
        name = self._files.get(file_id)
        return StoredEntry(name, self._entries[name].file_size) if name else None

    @contextmanager
    def open(self, name: str, *, most_bytes: int) -> Iterator[BinaryIO]:
        """Open an entry for reading.

        Raises:
            SlackEntryRefused.
        """
        self._require_fair(name, most_bytes)
        try:
            with self._archive.open(name) as file:
                yield cast("BinaryIO", file)
        except _DAMAGED as error:
            raise SlackEntryRefused("slack.damaged") from error

    def _read(self, name: str) -> bytes:
        with self.open(name, most_bytes=MOST_JSON_BYTES) as file:
            data = file.read(MOST_JSON_BYTES + 1)  # whatever its header says
        if len(data) > MOST_JSON_BYTES:
            raise SlackEntryRefused("slack.too_large")
        return data

    def _require_fair(self, name: str, most_bytes: int) -> None:
        entry = self._entries[name]
        if entry.flag_bits & 0x1:
            raise SlackEntryRefused("slack.encrypted")
        if entry.file_size > max(SMALL_BYTES, MOST_RATIO * entry.compress_size):
            raise SlackEntryRefused("slack.bomb")
        if entry.file_size > most_bytes:
            raise SlackEntryRefused("slack.too_large")

    def _take_names(self) -> None:
        for entry in self._archive.infolist():
            if entry.filename in self._entries:
                raise SlackExportRefused("slack.duplicate_names")
            if not is_safe(entry.filename):
                self.unsafe.append(entry.filename)
            elif not entry.is_dir():
                self._entries[entry.filename] = entry
        self._root = self._find_root()
        for name in sorted(self._entries):
            folder, _, last = name.removeprefix(self._root).partition("/")
            if found := _FILE.search(name):
                self._files.setdefault(found[1], name)
            elif name.startswith(self._root) and _DAY.fullmatch(last):
                self._days.setdefault(folder, []).append(name)

    def _find_root(self) -> str:
        """Return what stands before all names: nothing, or the one folder an archive program put around."""
        if USERS in self._entries:
            return ""
        around = [name for name in self._entries if name.count("/") == 1 and name.endswith(f"/{USERS}")]
        if len(around) != 1:
            raise SlackExportRefused("slack.no_export")
        return around[0].removesuffix(USERS)


@contextmanager
def opened(path: Path) -> Iterator[SlackArchive]:
    """Open an export.

    Raises:
        SlackExportRefused: no zip, no Slack export, too many names, or two entries of one name.
    """
    try:
        if _directory_bytes(path) > MOST_DIRECTORY_BYTES:
            raise SlackExportRefused("slack.too_many_files")
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SlackExportRefused("slack.no_zip") from error
    with archive:
        yield SlackArchive(archive)


def is_safe(name: str) -> bool:
    """Return whether a name stays inside: relative, without `..`, in one spelling."""
    parts = name.removesuffix("/").split("/")
    return (
        0 < len(name) <= LONGEST_NAME
        and not any(part in ("", ".", "..") for part in parts)
        and "\\" not in name
        and name.isprintable()
    )


def _directory_bytes(path: Path) -> int:
    """Return how long the list of names says it is, before anybody reads it into memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 70_000))  # a comment has at most 64 KiB
        tail = file.read()
    end, end_64 = tail.rfind(_END), tail.rfind(_END_64)
    small = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    large = int.from_bytes(tail[end_64 + 40 : end_64 + 48], "little") if end_64 >= 0 else 0
    return max(large, small if small < 0xFFFFFFFF else 0)


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # it refuses lone surrogates, which spoil one text and not the file
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SlackEntryRefused("slack.no_json") from error

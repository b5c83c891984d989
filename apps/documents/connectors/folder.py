"""A folder of the server, below the root that the operator named: `<root>/<organization>/<path>`.

Every step of a path is opened below the one before it and no link is followed, so that nothing outside is reached even
when somebody changes the folder at the same moment.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import FieldError
from apps.documents.connectors.contract import LONGEST_ID, Content, Fingerprint, Gone, Item
from apps.documents.connectors.secrets import refuse_secret
from apps.documents.errors import ItemFailed, SourceError, SourceFailed, SourceSettingsInvalid
from apps.documents.parsing import sniff
from apps.documents.parsing.errors import ErrorCode
from apps.documents.types import Origin

MOST_FILES: Final = 10_000
LONGEST_PATH: Final = 500
MEGABYTE: Final = 1024 * 1024
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold us


def root() -> Path | None:
    """Return below what folders may lie; None where there are no folder sources."""
    named: Path | None = django_settings.CONFIGURATION.documents.source_folders_root
    return named


class FolderKind:
    """`{"path": "handbooks/current"}`; an empty path is the organization's whole folder."""

    def cleaned(self, settings: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
        """Return the path without dots, links and hidden parts.

        Raises:
            SourceSettingsInvalid.
        """
        refuse_secret(has_secret=has_secret)
        parts = [part for part in str(settings.get("path", "")).strip().split("/") if part]
        path = "/".join(parts)
        if len(path) > LONGEST_PATH or "\x00" in path or any(part.startswith(".") for part in parts):
            raise SourceSettingsInvalid(
                errors=[
                    FieldError(
                        field="path",
                        code="documents.source_path_invalid",
                        detail=str(
                            _("Name a folder below the one of your organization, such as `handbooks`.")
                        ),
                    )
                ]
            )
        return {"path": path}

    def secret_is_for(self, settings: Mapping[str, Any]) -> str:  # noqa: ARG002 - there is none
        """Return nothing."""
        return ""

    def about(self, settings: Mapping[str, Any]) -> str:
        """Return the path."""
        return f"/{settings['path']}"

    def origin(self, settings: Mapping[str, Any], external_id: str) -> Origin:
        """Return the path below the organization's folder."""
        return Origin("/" + "/".join(filter(None, (settings["path"], external_id))), is_link=False)

    def open(
        self,
        settings: Mapping[str, Any],
        *,
        organization_slug: str,
        secret: str,  # noqa: ARG002 - of the contract
    ) -> FolderConnector:
        """Return the folder, which may be missing: its first use says so.

        Raises:
            SourceFailed: the operator took folder sources away.
        """
        below = root()
        if below is None:
            raise SourceFailed(SourceError.OFF)
        return FolderConnector(below, (organization_slug, *filter(None, settings["path"].split("/"))))


class FolderConnector:
    """The files of one folder and of those below it whose names say that they can be documents."""

    def __init__(self, below: Path, path: tuple[str, ...]) -> None:
        self._below, self._path = below, path

    def list(self) -> Iterator[Item]:
        """Yield the files; hidden ones, links and what is no plain file are passed over.

        Raises:
            SourceFailed: the folder, or a part of it, cannot be read.
        """
        found = 0
        with self._opened() as base:
            for place, folders, files, here in os.fwalk(".", dir_fd=base, onerror=_unreadable):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                for name in sorted(files):
                    item = _item(place, name, here)
                    if item is None:
                        continue
                    found += 1
                    if found > MOST_FILES:
                        raise SourceFailed(SourceError.TOO_MANY)
                    yield item

    @contextmanager
    def read(self, external_id: str, known: Fingerprint) -> Iterator[Content]:  # noqa: ARG002 - `list` told already
        """Give an open file.

        Raises:
            Gone: also when it is a link now.
            ItemFailed: empty, too large, or not ours to read.
        """
        *folders, name = external_id.split("/")
        if any(part.startswith(".") or not part for part in (*folders, name)):
            raise Gone
        with self._opened() as base:
            try:
                descriptor = _walk(base, folders, name)
            except PermissionError as error:
                raise ItemFailed(SourceError.ITEM_REFUSED) from error
            except OSError as error:  # missing, a link, no folder any more
                raise Gone from error
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Gone
            if about.st_size == 0:
                raise ItemFailed(ErrorCode.EMPTY)
            if about.st_size > django_settings.CONFIGURATION.files.upload_limit_mb * MEGABYTE:
                raise ItemFailed(ErrorCode.TOO_LARGE)
            yield Content(name, about.st_size, file, _fingerprint(about))

    def close(self) -> None:
        """Nothing is held."""

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:
            base = os.open(self._below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            base = _down(base, self._path)
        except PermissionError as error:
            raise SourceFailed(SourceError.UNREACHABLE) from error
        except OSError as error:
            raise SourceFailed(SourceError.MISSING) from error
        try:
            yield base
        finally:
            os.close(base)


def _down(base: int, path: tuple[str, ...] | list[str]) -> int:
    """Return the folder at a path below an open one, which is closed."""
    for part in path:
        try:
            below = os.open(part, _DIRECTORY, dir_fd=base)
        finally:
            os.close(base)
        base = below
    return base


def _walk(base: int, folders: list[str], name: str) -> int:
    here = _down(os.dup(base), folders)
    try:
        return os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)


def _item(place: str, name: str, here: int) -> Item | None:
    if name.startswith(".") or Path(name).suffix.lower() not in sniff.MEDIA_TYPES:
        return None
    try:
        about = os.stat(name, dir_fd=here, follow_symlinks=False)
    except FileNotFoundError:
        return None  # went at this moment
    if not stat.S_ISREG(about.st_mode):
        return None
    path = os.path.normpath(os.path.join(place, name))  # noqa: PTH118 - no look at the disk
    shown = path.encode("utf-8", "backslashreplace").decode()
    if shown != path or len(path) > LONGEST_ID:
        return Item(shown[:LONGEST_ID], error_code=SourceError.BAD_NAME)
    return Item(path, _fingerprint(about))


def _fingerprint(about: os.stat_result) -> dict[str, str]:
    """Return what changes with every write; an own time of the row (ctime) also where a program sets the other back."""
    return {"size": str(about.st_size), "modified": str(about.st_mtime_ns), "changed": str(about.st_ctime_ns)}


def _unreadable(error: OSError) -> NoReturn:
    raise SourceFailed(SourceError.UNREACHABLE) from error

"""Where bytes lie. Keys are random; names of people never become paths."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from django.conf import settings

from apps.files.errors import ContentMissing, StorageFull

_KEY = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}(\.[a-z0-9]{1,10})?")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Store(Protocol):
    """A place for bytes. A part grows by appending; committed content never changes."""

    def append(self, part: str, offset: int, data: bytes) -> None:
        """Write behind the first `offset` bytes of a part, to survive a crash; on failure nothing stays."""

    def open_part(self, part: str) -> BinaryIO:
        """Open what has arrived, for reading."""

    def commit(self, part: str, key: str) -> None:
        """Make a part content under its key; after this it survives a crash."""

    def put(self, key: str, data: bytes) -> None:
        """Store content at once."""

    def open(self, key: str) -> BinaryIO:
        """Open content for reading."""

    def local(self, key: str) -> AbstractContextManager[Path]:
        """Give content a path on this machine while the block lasts, for programs that want one."""

    def remove(self, key: str) -> None:
        """Remove content; harmless when it is gone."""

    def remove_part(self, part: str) -> None:
        """Remove a part; harmless when it is gone."""


def new_key(organization_id: UUID) -> str:
    """Return a random key in the organization's folder."""
    return f"{organization_id.hex}/{secrets.token_hex(16)}"


def sha256(file: BinaryIO) -> bytes:
    """Return the SHA-256 of a file from its beginning."""
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1024 * 1024):
        digest.update(block)
    return digest.digest()


class LocalStore:
    """Files in a folder: `parts` while they arrive, `content` once they are whole."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def append(self, part: str, offset: int, data: bytes) -> None:
        """Write, cut what a crashed attempt left behind, and flush to the disk.

        Raises:
            StorageFull: the part ends at `offset` again.
        """
        path = self._part(part)
        with _room():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _room():
                if os.fstat(descriptor).st_size < offset:
                    raise ContentMissing
                try:
                    os.ftruncate(descriptor, offset)
                    _write(descriptor, offset, data)
                    os.fdatasync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, offset)
                    raise
        finally:
            os.close(descriptor)

    def open_part(self, part: str) -> BinaryIO:
        """Open what has arrived.

        Raises:
            ContentMissing.
        """
        return _opened(self._part(part))

    def commit(self, part: str, key: str) -> None:
        """Rename, and flush both folders."""
        target = self._content(key)
        with _room():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._part(part).replace(target)
            _flush_folder(target.parent)

    def put(self, key: str, data: bytes) -> None:
        """Write under a temporary name, flush, rename.

        Raises:
            StorageFull: nothing was stored.
        """
        part = f"put-{secrets.token_hex(8)}"
        try:
            self.append(part, 0, data)
            self.commit(part, key)
        finally:
            self.remove_part(part)

    def open(self, key: str) -> BinaryIO:
        """Open content.

        Raises:
            ContentMissing.
        """
        return _opened(self._content(key))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """Return the content's own path.

        Raises:
            ContentMissing.
        """
        path = self._content(key)
        if not path.is_file():
            raise ContentMissing
        yield path

    def remove(self, key: str) -> None:
        """Remove content and what was made from it."""
        path = self._content(key)
        for made in [path, *path.parent.glob(f"{path.name}.*")]:
            made.unlink(missing_ok=True)

    def remove_part(self, part: str) -> None:
        """Remove a part."""
        self._part(part).unlink(missing_ok=True)

    def _content(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("not a storage key")
        folder, name = key.split("/")
        return self._root / "content" / folder / name[:2] / name

    def _part(self, part: str) -> Path:
        if not re.fullmatch(r"[0-9a-z-]{1,60}", part):
            raise ValueError("not the name of a part")
        return self._root / "parts" / part


@lru_cache(maxsize=1)
def store() -> Store:
    """Return the store of this installation."""
    return LocalStore(Path(settings.DATA_DIR) / "files")


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise


def _write(descriptor: int, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        offset, view = offset + written, view[written:]


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ContentMissing from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

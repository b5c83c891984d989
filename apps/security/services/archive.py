"""The files of exports, in a folder of the data directory that only this server's user may read."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import orjson
from django.conf import settings

from apps.core.data_subjects import ExportFile

_KEY = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}\.zip")
_BLOCK = 1024 * 1024


def write_rows(
    *, request_id: UUID, name: str, rows: Iterable[Mapping[str, Any] | bytes], check: Callable[[], object]
) -> int:
    """Write one kind of data as JSON lines, whole or not at all; return how many rows.

    Args:
        rows: objects, or lines of JSON that are one already.
        check: called now and then; raises to leave.
    """
    count = 0
    with _Whole(_folder(request_id) / "data" / f"{name}.jsonl") as file:
        for row in rows:
            line = row if isinstance(row, bytes) else _line(row)
            file.write(line + b"\n")
            count += 1
            if count % 500 == 0:
                check()
    return count


def write_page(*, request_id: UUID, name: str, pieces: Iterable[str], check: Callable[[], object]) -> None:
    """Write a file for people, piece by piece, whole or not at all."""
    with _Whole(_folder(request_id) / name) as file:
        for number, piece in enumerate(pieces):
            file.write(piece.encode())
            if number % 500 == 0:
                check()


def write_files(*, request_id: UUID, files: Iterable[ExportFile], check: Callable[[], object]) -> int:
    """Copy the files of one kind of data; one that is there already from an earlier try is left. Return how many."""
    count = 0
    for file in files:
        check()
        target = _folder(request_id) / "files" / file.name
        if not target.exists():
            with file.open() as source, _Whole(target) as copy:
                shutil.copyfileobj(source, copy, _BLOCK)
        count += 1
    return count


def pack(*, organization_id: UUID, request_id: UUID, about: Mapping[str, Any]) -> tuple[str, int]:
    """Make the archive with a manifest (size and SHA-256 of each member) and remove the parts.

    Returns:
        Its key and its size in bytes.
    """
    folder, key = _folder(request_id), f"{organization_id.hex}/{secrets.token_hex(16)}.zip"
    members = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {**about, "members": [_described(path, folder) for path in members]}
    with _Whole(_archive(key)) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", orjson.dumps(manifest, default=str, option=orjson.OPT_INDENT_2))
        for path in members:
            archive.write(path, path.relative_to(folder).as_posix())
    shutil.rmtree(folder)
    return key, _archive(key).stat().st_size


def size_of(key: str) -> int:
    """Return the size of an archive in bytes; FileNotFoundError when it was deleted."""
    return _archive(key).stat().st_size


def open_archive(key: str) -> BinaryIO:
    """Open an archive for reading; FileNotFoundError when it was deleted."""
    return _archive(key).open("rb")


def remove_archive(key: str) -> None:
    """Delete an archive; harmless when it is gone."""
    _archive(key).unlink(missing_ok=True)


def remove_parts(request_id: UUID) -> None:
    """Delete what an export that broke off had written."""
    shutil.rmtree(_root() / "parts" / request_id.hex, ignore_errors=True)


def _line(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps(row, default=str, option=orjson.OPT_NON_STR_KEYS)


class _Whole:
    """A file that appears under its name when the block ends well, and not at all otherwise."""

    def __init__(self, path: Path) -> None:
        self._path, self._draft = path, path.with_name(f".{path.name[-60:]}.{secrets.token_hex(4)}")

    def __enter__(self) -> BinaryIO:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "w+b")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        if kind is None:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)


def _described(path: Path, folder: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    lines = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            lines += block.count(b"\n")
    described: dict[str, Any] = {
        "name": path.relative_to(folder).as_posix(),
        "size_bytes": path.stat().st_size,
        "sha256": digest.hexdigest(),
    }
    return (
        {**described, "rows": lines} if path.suffix == ".jsonl" and path.parent.name == "data" else described
    )


def _folder(request_id: UUID) -> Path:
    return _root() / "parts" / request_id.hex


def _archive(key: str) -> Path:
    if not _KEY.fullmatch(key):
        raise ValueError("not the key of an archive")
    return _root() / key


def _root() -> Path:
    return Path(settings.DATA_DIR) / "exports"

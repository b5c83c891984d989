"""Zip archives (docx, xlsx) checked before use: sizes are counted while reading, never believed."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from typing import BinaryIO, Final

from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Limits

_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_ENTRY_BYTES: Final = 1_024  # of the directory, for one entry: 46 and names, generously
_BLOCK: Final = 64 * 1024
_RATIO_FROM: Final = 2**20
_DECLARATIONS: Final = tuple(
    mark.encode(encoding)
    for mark in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)

# What the zip module raises on a damaged directory or part; an unknown compression is NotImplementedError.
BROKEN_ARCHIVE: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
)


def open_archive(file: BinaryIO, limits: Limits) -> zipfile.ZipFile:
    """The archive, its directory within limits; parts are not read yet.

    Raises:
        ParseError: bomb, corrupt, encrypted.
    """
    _check_directory(file, limits)
    try:
        archive = zipfile.ZipFile(file)
    except BROKEN_ARCHIVE as error:
        raise ParseError(ErrorCode.CORRUPT) from error
    entries = archive.infolist()
    if len(entries) > limits.archive_entries:
        raise ParseError(ErrorCode.BOMB)
    if len({entry.filename for entry in entries}) != len(entries):
        raise ParseError(ErrorCode.CORRUPT)  # two parts of one name: readers would disagree on which counts
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise ParseError(ErrorCode.ENCRYPTED)
    return archive


def check_parts(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Unpack every part once in small blocks, counting, and refuse document types in XML.

    Raises:
        ParseError: bomb above the limits of bytes or ratio, corrupt for damaged parts or declared entities.
    """
    total = 0
    for entry in archive.infolist():
        unpacked, tail = 0, b""
        is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
        try:
            with archive.open(entry) as part:
                while block := part.read(_BLOCK):
                    unpacked += len(block)
                    _count(entry, unpacked, total + unpacked, limits)
                    if is_xml and any(mark in tail + block for mark in _DECLARATIONS):
                        raise ParseError(ErrorCode.CORRUPT)
                    tail = block[-32:]
        except BROKEN_ARCHIVE as error:
            raise ParseError(ErrorCode.CORRUPT) from error
        total += unpacked


def _count(entry: zipfile.ZipInfo, unpacked: int, total: int, limits: Limits) -> None:
    too_dense = unpacked > _RATIO_FROM and unpacked > limits.archive_ratio * max(entry.compress_size, 1)
    if total > limits.archive_bytes or too_dense:
        raise ParseError(ErrorCode.BOMB)


def _check_directory(file: BinaryIO, limits: Limits) -> None:
    """Look at the end record alone, so that a huge directory is refused before it is read into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - 65_536))
    end = file.read()
    file.seek(0)
    at = len(end) - _END_SIZE
    if at < 0:
        raise ParseError(ErrorCode.CORRUPT)
    if not (end[at : at + 4] == _END and end[-2:] == b"\x00\x00"):
        at = end.rfind(_END)
    if at < 0 or len(end) < at + _END_SIZE:
        raise ParseError(ErrorCode.CORRUPT)
    entries, directory_bytes = struct.unpack("<HI", end[at + 10 : at + 16])
    if end[max(at - 20, 0) : at].startswith(_ZIP64_LOCATOR) or entries == 0xFFFF:
        raise ParseError(ErrorCode.BOMB)  # only an archive beyond our limits needs the 64-bit form
    if entries > limits.archive_entries or directory_bytes > limits.archive_entries * _ENTRY_BYTES:
        raise ParseError(ErrorCode.BOMB)

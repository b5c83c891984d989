"""The type of a file by its content and by its name: both must be on the list and agree."""

from __future__ import annotations

import zipfile
from pathlib import PurePath
from typing import BinaryIO, Final

from apps.documents.parsing.archive import BROKEN_ARCHIVE, open_archive
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import DEFAULT_LIMITS, Limits

TEXT: Final = "text/plain"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
CSV: Final = "text/csv"
PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MEDIA_TYPES: Final[dict[str, str]] = {
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".csv": CSV,
    ".tsv": CSV,
    ".pdf": PDF,
    ".docx": DOCX,
    ".xlsx": XLSX,
}

_TEXTS: Final = frozenset({TEXT, MARKDOWN, HTML, CSV})
_MAIN_PARTS: Final = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}
_CONTENT_TYPES: Final = {
    DOCX: b"wordprocessingml.document.main+xml",
    XLSX: b"spreadsheetml.sheet.main+xml",
}
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
_FOREIGN: Final = (
    *(
        b"PK\x03\x04",
        b"PK\x05\x06",
        _OLE,
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"RIFF",
        b"OggS",
        b"ID3",
        b"fLaC",
    ),
    *(b"\x7fELF", b"MZ\x90", b"\xca\xfe\xba\xbe", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!"),
    *(
        b"%PDF-",
        b"%!PS",
        b"{\\rtf",
        b"SQLite format 3",
        b"\x00asm",
        b"II*\x00",
        b"MM\x00*",
        b"\x00\x00\x01\x00",
    ),
)
_SAMPLE: Final = 64 * 1024
_TEXT_CONTROLS: Final = frozenset(range(32)) - {9, 10, 12, 13, 27}
_UTF_16_AND_32: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def detect(file: BinaryIO, name: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The media type of a seekable file; reads its head, of an archive also directory and list of types.

    Raises:
        ParseError: unsupported_type (the name), type_mismatch (name and content differ), empty, too_large,
        encrypted,
            bomb, corrupt.
    """
    media_type = MEDIA_TYPES.get(PurePath(name).suffix.lower())
    if media_type is None:
        raise ParseError(ErrorCode.UNSUPPORTED_TYPE)
    size = file.seek(0, 2)
    if size == 0:
        raise ParseError(ErrorCode.EMPTY)
    if size > limits.file_bytes:
        raise ParseError(ErrorCode.TOO_LARGE)
    file.seek(0)
    head = file.read(_SAMPLE)
    if media_type in _TEXTS:
        _require(_looks_like_text(head))
    elif media_type == PDF:
        _require(head.removeprefix(b"\xef\xbb\xbf").lstrip()[:5] == b"%PDF-")
    else:
        _check_office(file, head, media_type, limits)
    file.seek(0)
    return media_type


def _require(agrees: bool) -> None:
    if not agrees:
        raise ParseError(ErrorCode.TYPE_MISMATCH)


def _looks_like_text(head: bytes) -> bool:
    if head.startswith(_FOREIGN):
        return False
    if head.startswith(_UTF_16_AND_32):
        return True
    zeros = head.count(0)
    if zeros and not _utf16_without_mark(head, zeros):
        return False
    controls = sum(1 for byte in head if byte in _TEXT_CONTROLS and byte)
    return controls <= 0.02 * len(head)


def _utf16_without_mark(head: bytes, zeros: int) -> bool:
    """All zeros stand on one side of the pairs, as in Latin text."""
    return zeros > 0.3 * len(head) and min(head[0::2].count(0), head[1::2].count(0)) < 0.02 * len(head)


def _check_office(file: BinaryIO, head: bytes, media_type: str, limits: Limits) -> None:
    if head.startswith(_OLE):
        file.seek(0)
        _require(_ENCRYPTED_PACKAGE in file.read(limits.file_bytes))
        raise ParseError(ErrorCode.ENCRYPTED)
    _require(head.startswith(b"PK\x03\x04"))
    with open_archive(file, limits) as archive:
        names = set(archive.namelist())
        _require(_MAIN_PARTS[media_type] in names and "[Content_Types].xml" in names)
        _require(not any(name.lower().endswith("vbaproject.bin") for name in names))
        _require(_CONTENT_TYPES[media_type] in _content_types(archive))


def _content_types(archive: zipfile.ZipFile) -> bytes:
    """The list of types, at most 256 KiB of it."""
    try:
        with archive.open("[Content_Types].xml") as part:
            return part.read(256 * 1024)
    except BROKEN_ARCHIVE as error:
        raise ParseError(ErrorCode.CORRUPT) from error

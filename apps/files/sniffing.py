"""What a file is: by its content and by its name, which have to agree."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import BinaryIO, Final

import puremagic

from apps.files.errors import TypeMismatch, TypeRefused
from apps.files.names import extension

UNKNOWN: Final = "application/octet-stream"
HEAD_BYTES: Final = 16 * 1024

# What a browser may show in place: pixels, sound and moving pictures that run no code.
INLINE: Final = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4",
        "audio/flac", "video/mp4", "video/webm",
    }
)  # fmt: skip
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

# What a browser runs or lays out when a page names it: served as bytes to be saved, under no type of its own.
ACTIVE: Final = frozenset({"text/html", "text/javascript", "text/css", "image/svg+xml", "application/xml"})

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_BY_EXTENSION: Final[dict[str, str]] = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".svg": "image/svg+xml",
    ".pdf": "application/pdf", ".zip": "application/zip", ".gz": "application/gzip",
    ".docx": f"{_OFFICE}wordprocessingml.document", ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav",
    ".m4a": "audio/mp4", ".flac": "audio/flac", ".mp4": "video/mp4", ".webm": "video/webm",
    ".txt": "text/plain", ".log": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown",
    ".csv": "text/csv", ".tsv": "text/tab-separated-values", ".html": "text/html", ".htm": "text/html",
    ".json": "application/json", ".xml": "application/xml", ".yaml": "application/yaml", ".yml": "application/yaml",
    ".js": "text/javascript", ".css": "text/css", ".py": "text/x-python", ".sh": "text/x-shellscript",
    ".ics": "text/calendar", ".eml": "message/rfc822",
}  # fmt: skip
_OF_TEXT: Final = frozenset(
    {
        "text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "text/html", "application/json",
        "application/xml", "application/yaml", "text/javascript", "text/css", "text/x-python", "text/x-shellscript",
        "text/calendar", "message/rfc822", "image/svg+xml",
    }
)  # fmt: skip
_MAIN_PARTS: Final = {
    f"{_OFFICE}wordprocessingml.document": "word/",
    f"{_OFFICE}spreadsheetml.sheet": "xl/",
    f"{_OFFICE}presentationml.presentation": "ppt/",
}
_PROGRAMS: Final = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\x00asm",
    b"dex\n",
)
_PROGRAM_NAMES: Final = frozenset(
    {
        ".exe",
        ".dll",
        ".com",
        ".scr",
        ".msi",
        ".bat",
        ".cmd",
        ".ps1",
        ".vbs",
        ".jar",
        ".apk",
        ".app",
        ".lnk",
        ".hta",
    }
)
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27})


@dataclass(frozen=True)
class Sniffed:
    """The type a file is served as."""

    media_type: str

    @property
    def is_picture(self) -> bool:
        """Return whether it is decoded and measured."""
        return self.media_type in PICTURES


def sniff(file: BinaryIO, name: str) -> Sniffed:
    """Return the type of a seekable file; reads its head, and the directory of an archive.

    A name whose type is known must hold that content. A name nobody knows may hold anything that is no
    program; it is served as bytes to be saved.

    Raises:
        TypeRefused: a program, by content or name.
        TypeMismatch: the content is not what the name says.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    ending = extension(name)
    if head.startswith(_PROGRAMS) or ending in _PROGRAM_NAMES:
        raise TypeRefused
    expected = _BY_EXTENSION.get(ending)
    found = _by_content(file, head)
    if expected is None:
        return Sniffed(found if found in INLINE else UNKNOWN)
    if found != ("text/plain" if expected in _OF_TEXT else expected):
        raise TypeMismatch(name=name)
    return Sniffed(expected)


def _by_content(file: BinaryIO, head: bytes) -> str:  # noqa: PLR0911 - one line for each family
    for start, media_type in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"\x1f\x8b", "application/gzip"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"BM", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
    ):
        if head.startswith(start):
            return media_type
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:5] == b"%PDF-":
        return "application/pdf"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    if head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xfa", b"\xf3", b"\xf2"):
        return "audio/mpeg"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(file)
    return "text/plain" if is_text(head) else _other(head)


def is_text(head: bytes) -> bool:
    """Return whether the head reads as text: UTF-8 or one byte per character, without binary controls."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 with its mark
    return not any(byte in _CONTROLS for byte in head)


def _archive(file: BinaryIO) -> str:
    """Return the office type of an archive by the names in its directory; nothing is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return UNKNOWN
    if "[Content_Types].xml" in names:
        for media_type, folder in _MAIN_PARTS.items():
            if any(name.startswith(folder) for name in names):
                return media_type
    return "application/zip"


def _other(head: bytes) -> str:
    try:
        return str(puremagic.from_string(head, mime=True)) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return UNKNOWN

"""What a mail is made of, and the document it becomes; sources: RFC 3501 section 7.4.2, RFC 2045, 2047 and 2231."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from html import escape
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from apps.documents.parsing import sniff
from apps.documents.parsing.cleaning import decode

MOST_PARTS: Final = 100
LONGEST_NAME: Final = 150
SHOWN: Final = ("From", "To", "Cc", "Date")
_DEEPEST: Final = 20
_LONGEST_HEADER: Final = 2000
_BLANKS: Final = re.compile(r"\s+")
_IN_NAMES: Final = re.compile(r"[/\\\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Part:
    """A part of a mail without parts of its own.

    Attributes:
        section: as it is asked for: `2.1`.
        kind: such as `text/plain`.
        name: of the file it is, cleaned; empty for none.
    """

    section: str
    kind: str
    charset: str
    encoding: str
    name: str
    size_bytes: int
    is_attached: bool

    @property
    def is_document(self) -> bool:
        """Return whether it is a file that can be read."""
        return bool(self.name) and PurePosixPath(self.name).suffix.lower() in sniff.MEDIA_TYPES


def parts_of(structure: Any) -> list[Part]:
    """Return the parts of a BODYSTRUCTURE in order, at most 100; what is none has none."""
    found: list[Part] = []
    for part in _walk(structure, (), 0):
        found.append(part)
        if len(found) >= MOST_PARTS:
            break
    return found


def text_of(parts: Sequence[Part]) -> Part | None:
    """Return the part that is the mail's text: plain where there is one, else HTML."""
    texts = [part for part in parts if not part.is_attached and not part.is_document]
    for kind in (sniff.TEXT, sniff.HTML):
        for part in texts:
            if part.kind == kind:
                return part
    return None


def unpacked(part: Part, data: bytes) -> bytes:
    """Return the bytes of a part as they were before they were packed for the way; damaged ones as far as they go."""
    if part.encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        try:
            return base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + b"===")
        except binascii.Error:
            return b""
    return quopri.decodestring(data) if part.encoding == "quoted-printable" else data


def message_id(header: bytes) -> str:
    """Return the id a mail has everywhere, without its brackets; empty for none that can be kept."""
    found = re.search(r"<([^<>\s]{1,900})>", _value(header, "Message-ID"))
    return found[1] if found and found[1].isprintable() else ""


def document_of(header: bytes, part: Part | None, data: bytes) -> tuple[str, bytes]:
    """Return a mail as a page: file name, and HTML that the reader of documents cleans."""
    subject = _value(header, "Subject")
    lines = [f"{name}: {escape(value)}" for name in SHOWN if (value := _value(header, name))]
    page = [
        '<!DOCTYPE html><html><head><meta charset="utf-8">', f"<title>{escape(subject)}</title></head><body>",
        f"<h1>{escape(subject)}</h1>" if subject else "", f"<p>{'<br>'.join(lines)}</p>", _body(part, data),
        "</body></html>",
    ]  # fmt: skip
    return f"{clean_name(subject) or 'mail'}.html", "\n".join(page).encode("utf-8", "replace")


def clean_name(text: str) -> str:
    """Return a file name without folders, breaks and what cannot be shown."""
    name = _IN_NAMES.sub(" ", text)
    return "".join(letter for letter in name if letter.isprintable()).strip(" .")[:LONGEST_NAME]


def _body(part: Part | None, data: bytes) -> str:
    if part is None:
        return ""
    raw = unpacked(part, data)
    try:
        text = raw.decode(part.charset) if part.charset else decode(raw).text
    except (LookupError, UnicodeError):
        text = decode(raw).text
    if part.kind == sniff.HTML:
        return text
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return "\n".join(
        f"<p>{escape(one.strip()).replace(chr(10), '<br>')}</p>" for one in paragraphs if one.strip()
    )


def _value(header: bytes, name: str) -> str:
    """Return the value of a header in one line, readable; as it stands where it cannot be decoded."""
    raw = str(BytesHeaderParser().parsebytes(header).get(name, ""))[:_LONGEST_HEADER]
    return _BLANKS.sub(" ", _decoded(raw)).strip()


def _decoded(raw: str) -> str:
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        text = raw
    return text.encode("utf-8", "replace").decode()


def _walk(structure: Any, section: tuple[int, ...], depth: int) -> Iterator[Part]:
    if not isinstance(structure, list) or not structure or depth > _DEEPEST:
        return
    if isinstance(structure[0], list):
        for number, inner in enumerate((one for one in structure if isinstance(one, list)), 1):
            if inner and (isinstance(inner[0], list) or _is_leaf(inner)):
                yield from _walk(inner, (*section, number), depth + 1)
        return
    if _is_leaf(structure):
        yield _leaf(structure, section or (1,))


def _is_leaf(structure: list[Any]) -> bool:
    return len(structure) >= 7 and all(isinstance(structure[place], bytes) for place in (0, 1, 5, 6))


def _leaf(structure: list[Any], section: tuple[int, ...]) -> Part:
    parameters = _parameters(structure[2])
    disposition, described = _disposition(structure)
    size = structure[6].decode("ascii", "replace")
    return Part(
        section=".".join(map(str, section)),
        kind=f"{_word(structure[0])}/{_word(structure[1])}",
        charset=_word(parameters.get("charset", b"")),
        encoding=_word(structure[5]),
        name=clean_name(_filename(described, "filename") or _filename(parameters, "name")),
        size_bytes=int(size) if size.isdecimal() else 0,
        is_attached=disposition == "attachment",
    )


def _disposition(structure: list[Any]) -> tuple[str, dict[str, bytes]]:
    for one in structure[7:]:
        if isinstance(one, list) and one and isinstance(one[0], bytes):
            word = _word(one[0])
            if word in ("attachment", "inline"):
                return word, _parameters(one[1] if len(one) > 1 else None)
    return "", {}


def _parameters(given: Any) -> dict[str, bytes]:
    if not isinstance(given, list):
        return {}
    pairs = zip(given[::2], given[1::2], strict=False)
    return {
        _word(name): value for name, value in pairs if isinstance(name, bytes) and isinstance(value, bytes)
    }


def _filename(parameters: dict[str, bytes], name: str) -> str:
    """Return a name as it was meant: plain, RFC 2047 inside, or RFC 2231 in one piece or several."""
    if f"{name}*" in parameters:
        return _extended(parameters[f"{name}*"])
    pieces = [parameters.get(f"{name}*{n}*", parameters.get(f"{name}*{n}", b"")) for n in range(10)]
    if pieces[0]:
        return _extended(b"".join(pieces)) if f"{name}*0*" in parameters else _shown(b"".join(pieces))
    return _joined(_shown(parameters.get(name, b"")))


def _joined(value: str) -> str:
    """Return a name whose encoded parts stand right beside the others."""
    try:
        return "".join(str(make_header([piece])) for piece in decode_header(value))
    except (MessageError, LookupError, ValueError):
        return value


def _extended(value: bytes) -> str:
    charset, _, rest = value.partition(b"'")
    text = unquote_to_bytes(rest.partition(b"'")[2])
    try:
        return text.decode(charset.decode("ascii", "replace") or "utf-8")
    except (LookupError, UnicodeError):
        return _shown(text)


def _shown(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _word(value: bytes) -> str:
    return value.decode("ascii", "replace").lower()

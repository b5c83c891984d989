"""Bytes to text and text to what a database and a screen accept."""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

REPLACEMENT: Final = "\ufffd"

_CONTROL = dict.fromkeys((*range(1, 9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0x80, 0xA0)), " ")
_REMOVED: dict[int, str | None] = dict.fromkeys((0x00, 0xAD, 0x200B, 0x200C, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF))
_SPACES = dict.fromkeys((0xA0, 0x2007, 0x202F, 0x2009, 0x200A, 0x2002, 0x2003, 0x3000), " ")
_LINES = {0x85: "\n", 0x2028: "\n", 0x2029: "\n", 0x0C: "\n", 0x0B: "\n"}
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_TABLE: dict[int, str | None] = {**_CONTROL, **_REMOVED, **_SPACES, **_LINES, **_LIGATURES}
_SURROGATES = re.compile("[\ud800-\udfff]")
_RETURNS = re.compile(r"\r\n?")

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text of a file, the encoding found, and how many characters it could not give (U+FFFD in the text)."""

    text: str
    encoding: str
    replaced: int


def clean(text: str) -> str:
    """Composed Unicode without NUL, lone surrogates, control characters and invisible marks; lines end in LF.

    Ligatures become letters, every kind of blank becomes a space: search and quotes work on what a reader
    types.
    """
    text = _SURROGATES.sub(REPLACEMENT, _RETURNS.sub("\n", text))
    return unicodedata.normalize("NFC", text.translate(_TABLE))


def decode(data: bytes) -> Decoded:
    """Decode by byte order mark, else UTF-16 by its pattern of zeros, else UTF-8, else Windows-1252."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    without_mark = _utf16(data)
    if without_mark:
        return _decoded(data, without_mark)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", 0)
    except UnicodeDecodeError:
        return _broken_utf8(data) or _decoded(data, "cp1252")


def _decoded(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, errors="replace")
    return Decoded(text, encoding, text.count(REPLACEMENT))


def _utf16(data: bytes) -> str | None:
    """Latin text in UTF-16 has a zero in every second byte."""
    sample = data[:4_096]
    if len(sample) < 4 or len(data) % 2:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > 0.6 * half and sample[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.6 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _broken_utf8(data: bytes) -> Decoded | None:
    """UTF-8 with few bad bytes (a cut file, a pasted line) is still UTF-8."""
    found = _decoded(data, "utf-8")
    beyond_ascii = sum(1 for character in found.text if character > "\x7f")
    good = beyond_ascii - found.replaced
    return found if good > 2 * found.replaced else None

"""File names from outside: kept for people, never used for a path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

LONGEST = 255
UNNAMED = "file"
# Marks that turn the direction of text, so that "exe.pdf" could be read backwards (Unicode TR 36).
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HIDDEN = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})


def clean_name(name: str) -> str:
    """Return the last part of a path without controls, direction marks and edges; at most 255 characters."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    composed = unicodedata.normalize("NFC", last)
    kept = "".join(" " if _is_hidden(character) else character for character in composed)
    tidy = " ".join(kept.split()).strip(". ") if kept.strip(". ") else ""
    return _shortened(tidy) or UNNAMED


def extension(name: str) -> str:
    """Return the last extension in lower case with its dot, or an empty text."""
    return PurePosixPath(name.lower()).suffix


def _is_hidden(character: str) -> bool:
    return character in _DIRECTION or unicodedata.category(character) in _HIDDEN


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    ending = extension(name)[:16]
    return name[: LONGEST - len(ending)].rstrip() + ending

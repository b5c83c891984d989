"""Frames on the pipe: one byte of kind, four of length, then JSON or bytes."""

from __future__ import annotations

import struct
from typing import Final

READY: Final = b"R"  # JSON: the walls that stand
OUTLINE: Final = b"O"  # JSON
PAGE: Final = b"P"  # JSON
FAILED: Final = b"F"  # JSON: a page that could not be read
IMAGE: Final = b"I"  # PNG
ERROR: Final = b"E"  # JSON: the code that ends the document

HEADER: Final = struct.Struct(">cI")
LARGEST: Final = 32 * 2**20

OP_OUTLINE: Final = "outline"
OP_PAGES: Final = "pages"
OP_IMAGE: Final = "image"

EXIT_TIRED: Final = 3  # the page told last broke the reader; the rest needs a fresh process


def header(kind: bytes, length: int) -> bytes:
    return HEADER.pack(kind, length)

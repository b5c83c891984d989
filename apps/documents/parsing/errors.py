"""Why a file or a page cannot be read: stable codes, translated to people's words by the services above."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Codes of documents and of single pages; they are stored and shown, so a value never changes."""

    ENCRYPTED = "documents.encrypted"
    CORRUPT = "documents.corrupt"
    EMPTY = "documents.empty"
    TOO_LARGE = "documents.too_large"
    BOMB = "documents.bomb"
    TYPE_MISMATCH = "documents.type_mismatch"
    UNSUPPORTED_TYPE = "documents.unsupported_type"
    TIMEOUT = "documents.timeout"
    OUT_OF_MEMORY = "documents.out_of_memory"
    NO_TEXT = "documents.no_text"


class ParseError(Exception):
    """The whole document cannot be read, or not further."""

    def __init__(self, code: ErrorCode) -> None:
        self.code = code
        super().__init__(code.value)

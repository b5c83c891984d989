"""Refusals of documents. The codes of unreadable files and pages come from the parsing."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, NotFound
from apps.documents.parsing.errors import ErrorCode

SENTENCES: Final[dict[str, Promise]] = {
    ErrorCode.ENCRYPTED: _("The file is protected by a password."),
    ErrorCode.CORRUPT: _("The file is damaged."),
    ErrorCode.EMPTY: _("The file is empty."),
    ErrorCode.TOO_LARGE: _("The document is too large."),
    ErrorCode.BOMB: _("The file unpacks to far more than it says."),
    ErrorCode.TYPE_MISMATCH: _("The content is not what the name says."),
    ErrorCode.UNSUPPORTED_TYPE: _("Documents can be text, Markdown, HTML, CSV, PDF, Word or Excel files."),
    ErrorCode.TIMEOUT: _("Reading took too long."),
    ErrorCode.OUT_OF_MEMORY: _("Reading needed too much memory."),
    ErrorCode.NO_TEXT: _("There is no text on this page."),
    "documents.cancelled": _("Reading was cancelled."),
}
_MAY_PASS: Final = frozenset({ErrorCode.TIMEOUT, ErrorCode.OUT_OF_MEMORY})


def sentence(code: str) -> str:
    """Return what a stored code says to people, in the active language; empty for none."""
    if not code:
        return ""
    return str(SENTENCES.get(code) or gettext("This failed unexpectedly."))


class DocumentNotFound(NotFound):
    code = "documents.not_found"


class PageNotFound(NotFound):
    code = "documents.page_not_found"


class NotYourDocument(Forbidden):
    code = "documents.not_yours"
    message = _("Only the person who added this document, or a moderator, may do that.")


class NothingFailed(Conflict):
    code = "documents.nothing_failed"
    message = _("Nothing of this document failed.")


class Unreadable(DomainError):
    """A file or page that cannot be read; the instance carries the code that says why."""

    status = 422

    def __init__(self, code: ErrorCode) -> None:
        super().__init__()
        self.code = code.value  # type: ignore[misc]  # each reason has its own code
        self.status = 503 if code in _MAY_PASS else 422  # type: ignore[misc]  # 503 is tried again

    @property
    def detail(self) -> str:
        """The sentence in the active language."""
        return sentence(self.code)


class UnsupportedType(Unreadable):
    """The name says that this is no document."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.UNSUPPORTED_TYPE)
        self.status = 415  # type: ignore[misc]  # of its own

"""Refusals of documents. The codes of unreadable files and pages come from the parsing."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound
from apps.documents.parsing.errors import ErrorCode


class SourceError(StrEnum):
    """Why a source, or a thing of it, could not be read; stored."""

    OFF = "documents.source_off"
    MISSING = "documents.source_missing"
    UNREACHABLE = "documents.source_unreachable"
    TOO_MANY = "documents.source_too_many"
    TOO_LARGE = "documents.source_too_large"
    CREDENTIALS = "documents.source_credentials"
    THROTTLED = "documents.source_throttled"
    NONSENSE = "documents.source_nonsense"
    EMPTY = "documents.source_empty"
    BRANCH_GONE = "documents.source_branch_gone"
    REGION = "documents.source_region"
    OWNER_GONE = "documents.source_owner_gone"
    CANCELLED = "documents.source_cancelled"
    ITEM_UNAVAILABLE = "documents.item_unavailable"
    ITEM_REFUSED = "documents.item_refused"
    ITEM_UNUSABLE = "documents.item_unusable"
    ITEM_GONE = "documents.item_gone"
    ADDRESS = "documents.item_address"
    BAD_NAME = "documents.item_bad_name"
    NO_ROOM = "documents.item_no_room"


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
    SourceError.OFF: _("Folders are not read on this server. Its operator can allow it."),
    SourceError.MISSING: _("This does not exist any more. What was read before stays."),
    SourceError.UNREACHABLE: _("It cannot be reached now. What was read before stays."),
    SourceError.TOO_MANY: _("There are too many files. Choose a smaller folder."),
    SourceError.TOO_LARGE: _("There is more than can be read at once. Choose a part of it."),
    SourceError.CREDENTIALS: _("Its server refuses the user name, password or key. Enter them again."),
    SourceError.THROTTLED: _(
        "Its server asks us to wait. What was read before stays, and it is tried again."
    ),
    SourceError.NONSENSE: _("Its server gave an answer that cannot be used. Look at the address."),
    SourceError.EMPTY: _("There is nothing in this repository yet."),
    SourceError.BRANCH_GONE: _("This branch or tag does not exist any more. What was read before stays."),
    SourceError.REGION: _("The bucket is in another region. Change the region."),
    SourceError.OWNER_GONE: _(
        "Whoever added this source may not add documents here any more. Synchronize it yourself to take it over."
    ),
    SourceError.CANCELLED: _("The synchronization was cancelled."),
    SourceError.ITEM_UNAVAILABLE: _("The other server is out of order now. It is tried again."),
    SourceError.ITEM_REFUSED: _("It may not be read from here."),
    SourceError.ITEM_UNUSABLE: _("Its content could not be taken over."),
    SourceError.ITEM_GONE: _("It does not exist, or not any more."),
    SourceError.ADDRESS: _(
        "The address is not public, or not allowed here. "
        "Your operator can allow a server of your own network."
    ),
    SourceError.BAD_NAME: _("Its name has characters that cannot be shown, or is too long."),
    SourceError.NO_ROOM: _("There is no room for it. Delete files, or ask the operator for more."),
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


class SyncedDocument(Conflict):
    code = "documents.synced"
    message = _(
        "A source keeps this document up to date. Rename or replace it there, and it is read again by itself."
    )


class MessageCarriesFile(Conflict):
    code = "documents.carried_by_message"
    message = _("A message carries this file. Send the new version in a message of its own.")


class FileTaken(Conflict):
    code = "documents.file_taken"
    message = _("This file is in use already. Upload the new version as a file of its own.")


class NoFileChosen(InvalidInput):
    code = "documents.no_file"
    message = _("Choose a file first.")


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


class SourceNotFound(NotFound):
    code = "documents.source_not_found"


class SourceSettingsInvalid(InvalidInput):
    code = "documents.source_settings_invalid"
    message = _("Some values of the source are not valid.")


class SourceNameTaken(Conflict):
    code = "documents.source_name_taken"
    message = _("There is a source of this name already.")


class TooManySources(Conflict):
    code = "documents.too_many_sources"
    message = _("There are %(most)s sources already. Remove one first.")


class SourceBusy(Conflict):
    code = "documents.source_busy"
    message = _("The source is being removed.")


class SourcePlaceUnseen(Forbidden):
    code = "documents.source_place_unseen"
    message = _(
        "Its documents belong to a conversation you are not in. "
        "Only members of it can change what is read, and for whom."
    )


class NothingHeld(Conflict):
    code = "documents.nothing_held"
    message = _("Nothing of this source waits for you.")


class SourceFailed(DomainError):
    """A source that cannot be listed; the instance carries the code that says why."""

    code = SourceError.UNREACHABLE.value
    status = 422

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = str(code)  # type: ignore[misc]  # each reason has its own code

    @property
    def detail(self) -> str:
        """The sentence in the active language."""
        return sentence(self.code)


class ItemFailed(SourceFailed):
    """A thing of a source that cannot be read."""

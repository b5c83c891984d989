"""Refusals of imports of history."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput, NotFound


class ImportNotFound(NotFound):
    code = "chat.import_not_found"


class ImportAtWork(Conflict):
    code = "chat.import_at_work"
    message = _("Another import is at work. One runs at a time.")


class ImportNotReady(Conflict):
    code = "chat.import_not_ready"
    message = _(
        "This import cannot be started: it was not looked through, is at work, done, or its file is gone."
    )


class NoImportFile(InvalidInput):
    code = "chat.import_file_invalid"
    message = _("Name a ZIP file that you have uploaded yourself.")


class SlackExportRefused(DomainError):
    """A file that is no export, or none that can be trusted; `reason` is the stable code of the report."""

    code = "chat.slack_export_refused"
    status = 422
    message = _("This file is no export of Slack, or one that cannot be trusted.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self.reason = reason


class SlackEntryRefused(DomainError):
    """One file inside an export that is left out; `reason` is the stable code of the report."""

    code = "chat.slack_entry_refused"
    status = 422
    message = _("A file inside the export cannot be used.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self.reason = reason

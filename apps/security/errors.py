"""What security refuses: reading the trail, privacy requests and holds."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound


class EntryNotFound(NotFound):
    """Missing, or in another organization's trail."""

    code = "security.entry_not_found"


class RequestNotFound(NotFound):
    code = "privacy.request_not_found"


class SubjectNotFound(NotFound):
    code = "privacy.subject_not_found"


class HoldNotFound(NotFound):
    code = "privacy.hold_not_found"


class ExportNotFound(NotFound):
    code = "exports.not_found"


class NothingToExport(NotFound):
    """Nothing of this kind, or who asked may not have it any more."""

    code = "exports.nothing_to_export"


class ReasonMissing(InvalidInput):
    code = "privacy.reason_missing"
    message = _("Say why, in 1 to 500 characters.")


class HoldTargetInvalid(InvalidInput):
    code = "privacy.hold_target_invalid"
    message = _("A hold names one person or one conversation of the organization.")


class SecondPersonNeeded(Forbidden):
    code = "privacy.second_person_needed"
    message = _("Another administrator has to approve: not the one who asked, and not the person concerned.")


class AlreadyRequested(Conflict):
    code = "privacy.already_requested"
    message = _("There is an open request for this person.")


class RequestSettled(Conflict):
    code = "privacy.request_settled"
    message = _("This request is decided already.")


class OnHold(Conflict):
    code = "privacy.on_hold"
    message = _("A legal hold keeps data of this person. Nothing more is erased until it is released.")


class TracesLeft(DomainError):
    """The verification found the person in places where nobody else's words may be."""

    code = "privacy.traces_left"
    status = 500
    message = _("The verification still found data of the person: %(places)s.")

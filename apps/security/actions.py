"""Acts of the trail itself, and of privacy."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

ANCHORED = register_action("audit.anchored", _("Audit trail anchored"))
VERIFIED = register_action("audit.verified", _("Audit trail verified"))
EXPORTED = register_action("audit.exported", _("Audit trail exported"))
EMPTIED = register_action("audit.person_emptied", _("Personal values removed from the audit trail"))

EXPORT_STARTED = register_action("privacy.export_started", _("Export of a person's data started"))
EXPORT_FETCHED = register_action("privacy.export_fetched", _("Export of a person's data fetched"))
ERASURE_REQUESTED = register_action("privacy.erasure_requested", _("Erasure of a person asked for"))
ERASURE_APPROVED = register_action("privacy.erasure_approved", _("Erasure of a person approved"))
ERASURE_REPLAYED = register_action("privacy.erasure_replayed", _("Erasure repeated after a restore"))
ERASED = register_action("privacy.person_erased", _("Person erased"))
REQUEST_WITHDRAWN = register_action("privacy.request_withdrawn", _("Privacy request withdrawn"))
REQUEST_RETRIED = register_action("privacy.request_retried", _("Privacy request tried again"))
HOLD_PLACED = register_action("privacy.hold_placed", _("Legal hold placed"))
HOLD_RELEASED = register_action("privacy.hold_released", _("Legal hold released"))
DATA_EXPORT_STARTED = register_action(
    "export.started", _("Export of a conversation or the organization started")
)
DATA_EXPORT_FETCHED = register_action(
    "export.fetched", _("Export of a conversation or the organization fetched")
)

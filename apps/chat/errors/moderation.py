"""Reports, and how long messages are kept."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, InvalidInput, NotFound


class RetentionRuleNotFound(NotFound):
    code = "chat.retention_rule_not_found"


class RetentionDaysInvalid(InvalidInput):
    code = "chat.retention_days_invalid"
    message = _("Messages can be kept for 1 to 36,500 days, or for ever.")


class ReportNotFound(NotFound):
    code = "chat.report_not_found"


class OwnMessage(Conflict):
    code = "chat.own_message"
    message = _("This is your own message: you can delete it.")


class ReportDecided(Conflict):
    code = "chat.report_decided"
    message = _("Somebody has decided about this report.")


class NoteTooLong(InvalidInput):
    code = "chat.note_too_long"
    message = _("A note has at most %(limit)s characters.")

"""Acts on runs, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

CANCELLED = register_action("run.cancelled", _("Run of another person stopped"))
RETRIED = register_action("run.retried", _("Run of another person tried again"))

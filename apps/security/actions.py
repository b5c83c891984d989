"""Acts of the trail itself."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

ANCHORED = register_action("audit.anchored", _("Audit trail anchored"))
VERIFIED = register_action("audit.verified", _("Audit trail verified"))
EXPORTED = register_action("audit.exported", _("Audit trail exported"))
EMPTIED = register_action("audit.person_emptied", _("Personal values removed from the audit trail"))

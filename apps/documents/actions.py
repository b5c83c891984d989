"""Acts on documents, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

DELETED = register_action("document.deleted", _("Document deleted"))

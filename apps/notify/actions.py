"""Acts on notifications, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

STANDING_CHANGED = register_action("notify.standing_changed", _("Defaults of notifications changed"))
REPLY_REFUSED = register_action("notify.reply_refused", _("Reply by mail refused"))

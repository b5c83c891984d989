"""Acts in the console, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

SETTINGS_SHOWN = register_action("settings.shown", _("Settings looked at"))
MAIL_SHOWN = register_action("mail.shown", _("Stored e-mail looked at"))

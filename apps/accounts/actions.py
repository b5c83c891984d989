"""What the trail keeps of accounts: tokens, sleeping keys, service accounts, the keys that sign."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

TOKEN_OPENED = register_action("token.opened", _("Program signed in"))
TOKEN_REVOKED = register_action("token.revoked", _("Program signed out"))
TOKEN_REUSED = register_action("token.reused", _("Token used a second time"))
KEY_SUSPENDED = register_action("api_key.suspended", _("API key suspended"))
KEY_REACTIVATED = register_action("api_key.reactivated", _("API key works again"))
SERVICE_CREATED = register_action("service_account.created", _("Service account created"))
SIGNING_KEY_ROTATED = register_action("signing_key.rotated", _("Key that signs tokens replaced"))
SIGNING_KEY_REVOKED = register_action("signing_key.revoked", _("Key that signs tokens withdrawn"))

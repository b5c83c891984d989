"""Acts around people, rights, keys and tokens, as the audit trail names them."""

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
SIGNED_IN = register_action("account.signed_in", _("Signed in"))
SIGNED_OUT = register_action("account.signed_out", _("Signed out"))
SESSION_REVOKED = register_action("session.revoked", _("Session ended"))
PASSWORD_CHANGED = register_action("password.changed", _("Password changed"))
PASSWORD_RESET = register_action("password.reset", _("Password reset"))
ACCOUNT_CLOSED = register_action("account.closed", _("Account switched off"))
ACCOUNT_OPENED = register_action("account.opened", _("Account switched on"))

MEMBER_INVITED = register_action("member.invited", _("Person invited"))
INVITATION_RENEWED = register_action("member.invitation_renewed", _("Invitation sent again"))
INVITATION_REVOKED = register_action("member.invitation_revoked", _("Invitation taken back"))
MEMBER_JOINED = register_action("member.joined", _("Member joined"))
ROLE_GIVEN = register_action("member.role_changed", _("Role of a member changed"))
MEMBER_DEACTIVATED = register_action("member.deactivated", _("Member deactivated"))
MEMBER_REACTIVATED = register_action("member.reactivated", _("Member active again"))

ROLE_CREATED = register_action("role.created", _("Role created"))
ROLE_CHANGED = register_action("role.changed", _("Role changed"))
ROLE_REMOVED = register_action("role.removed", _("Role removed"))

KEY_CREATED = register_action("api_key.created", _("API key created"))
KEY_ROTATED = register_action("api_key.rotated", _("API key replaced"))
KEY_REVOKED = register_action("api_key.revoked", _("API key ended"))
KEY_REFUSED = register_action("api_key.refused", _("API key refused"))

ORGANIZATION_CREATED = register_action("organization.created", _("Organization created"))
ORGANIZATION_CHANGED = register_action("organization.changed", _("Organization changed"))
ACCESS_REFUSED = register_action("access.refused", _("Right missing"))

CLIENT_CREATED = register_action("oauth_client.created", _("App registered"))
CLIENT_CHANGED = register_action("oauth_client.changed", _("App changed"))
CLIENT_ROTATED = register_action("oauth_client.rotated", _("Secret of an app replaced"))
CLIENT_DISABLED = register_action("oauth_client.disabled", _("App switched off"))
CLIENT_ENABLED = register_action("oauth_client.enabled", _("App switched on"))
CLIENT_REFUSED = register_action("oauth_client.refused", _("App refused"))
CODE_REUSED = register_action("oauth_code.reused", _("Code of an app used a second time"))
CONSENT_GIVEN = register_action("oauth_consent.given", _("App let in"))
CONSENT_ENDED = register_action("oauth_consent.ended", _("Access of an app taken back"))
DEVICE_APPROVED = register_action("oauth_device.approved", _("Device let in"))
DEVICE_DENIED = register_action("oauth_device.denied", _("Device turned away"))

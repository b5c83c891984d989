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

SCOPED_ROLE_GIVEN = register_action("scoped_role.given", _("Role given for one place"))
SCOPED_ROLE_TAKEN = register_action("scoped_role.taken", _("Role for one place taken back"))
DATA_CLASS_CHANGED = register_action("scope.data_class_changed", _("Class of data changed"))
VIEW_AS_STARTED = register_action("view_as.started", _("Began to look at pages as a person"))
VIEW_AS_ENDED = register_action("view_as.ended", _("Stopped looking at pages as a person"))
ACCESS_EXPLAINED = register_action("access.explained", _("Access of a person looked up"))

ORGANIZATION_CREATED = register_action("organization.created", _("Organization created"))
ORGANIZATION_CHANGED = register_action("organization.changed", _("Organization changed"))
ACCESS_REFUSED = register_action("access.refused", _("Right missing"))

"""Acts of the mechanisms, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

OUTBOUND_HOST_LISTED = register_action("outbound_host.listed", _("Host for outgoing connections listed"))
OUTBOUND_HOST_REMOVED = register_action("outbound_host.removed", _("Host for outgoing connections removed"))
KEY_ROTATION_STARTED = register_action("key_rotation.started", _("Rotation of encryption keys started"))
FLAG_CREATED = register_action("flag.created", _("Feature flag created"))
FLAG_CHANGED = register_action("flag.changed", _("Feature flag changed"))
FLAG_REMOVED = register_action("flag.removed", _("Feature flag removed"))
LETTER_REPLAYED = register_action("dead_letter.replayed", _("Failed event tried again"))
LETTER_DISMISSED = register_action("dead_letter.dismissed", _("Failed event dismissed"))
ADMIN_ACTED = register_action("admin.acted", _("Action in the operators' tables"))
ADMIN_ADDED = register_action("admin.added", _("Row added in the operators' tables"))
ADMIN_CHANGED = register_action("admin.changed", _("Row changed in the operators' tables"))
ADMIN_DELETED = register_action("admin.deleted", _("Row deleted in the operators' tables"))

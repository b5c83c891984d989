"""Acts on mechanisms that the audit trail knows."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

OUTBOUND_HOST_LISTED = register_action("outbound_host.listed", _("Host for outgoing connections listed"))
OUTBOUND_HOST_REMOVED = register_action("outbound_host.removed", _("Host for outgoing connections removed"))
KEY_ROTATION_STARTED = register_action("key_rotation.started", _("Rotation of encryption keys started"))

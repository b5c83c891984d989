"""Acts on documents, as the audit trail names them."""

from django.utils.translation import gettext_lazy as _

from apps.core.auditing.actions import register_action

DELETED = register_action("document.deleted", _("Document deleted"))
RENAMED = register_action("document.renamed", _("Document renamed"))
REPLACED = register_action("document.replaced", _("Document replaced by a new version"))
SOURCE_ADDED = register_action("source.added", _("Source of documents added"))
SOURCE_CHANGED = register_action("source.changed", _("Source of documents changed"))
SOURCE_SECRET_FORGOTTEN = register_action(
    "source.secret_forgotten", _("Password or key of a source of documents forgotten")
)
SOURCE_PAUSED = register_action("source.paused", _("Source of documents paused"))
SOURCE_RESUMED = register_action("source.resumed", _("Source of documents goes on"))
SOURCE_SYNCED = register_action("source.synchronized", _("Source of documents synchronized by hand"))
SOURCE_REMOVAL_CONFIRMED = register_action(
    "source.removal_confirmed", _("Removal of many documents of a source confirmed")
)
SOURCE_REMOVED = register_action("source.removed", _("Source of documents removed"))

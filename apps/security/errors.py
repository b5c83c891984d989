"""What security refuses."""

from apps.core.errors import NotFound


class EntryNotFound(NotFound):
    """Missing, or in another organization's trail."""

    code = "security.entry_not_found"

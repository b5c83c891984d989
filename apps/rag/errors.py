"""Refusals of search."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput, NotFound


class CursorUnknown(InvalidInput):
    code = "rag.cursor_unknown"
    message = _("This page does not exist. Start the search again.")


class PassageNotFound(NotFound):
    """Missing, or not visible to the reader any more."""

    code = "rag.passage_not_found"
    message = _("This passage does not exist, or you have no access.")

"""Texts that the script of the list of documents shows."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.core.script_texts import Texts, upload_texts


def documents_texts() -> Texts:
    """Return the texts in the reader's language."""
    return {
        **upload_texts(),
        "documents.drop": _("Drop files to add them to the library"),
        "documents.adding": _("being added"),
        "documents.added": _("{name} is added and will be read"),
    }

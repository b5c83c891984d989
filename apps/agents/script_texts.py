"""Texts that the scripts of answers show."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.core.script_texts import Texts


def agents_texts() -> Texts:
    """Return the texts in the reader's language."""
    return {"ask.copied": _("Link copied")}

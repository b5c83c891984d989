"""Passwords and keys of sources: where one is asked for, and where none belongs."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import FieldError
from apps.documents.errors import SourceSettingsInvalid

FIELD = "secret"
LONGEST_SECRET: Final = 1000


def refuse_secret(*, has_secret: bool) -> None:
    """Refuse a secret of a kind that has none.

    Raises:
        SourceSettingsInvalid.
    """
    if has_secret:
        raise secret_invalid(_("This kind of source has no password."))


def secret_invalid(detail: str | Promise) -> SourceSettingsInvalid:
    """Return a refusal beside the field of the secret."""
    return invalid(FIELD, "documents.source_secret_invalid", detail)


def invalid(field: str, code: str, detail: str | Promise) -> SourceSettingsInvalid:
    """Return a refusal beside one field."""
    return SourceSettingsInvalid(errors=[FieldError(field=field, code=code, detail=str(detail))])


def clean_secret(secret: str) -> str | None:
    """Return a secret as it is kept: a password may begin or end with a blank, but has no line break.

    Raises:
        SourceSettingsInvalid.
    """
    if len(secret) > LONGEST_SECRET or not secret.isprintable():
        raise secret_invalid(_("This cannot be a password or key."))
    return secret or None

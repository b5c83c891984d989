"""Clean what people type: names, short names, addresses."""

from __future__ import annotations

import re
import unicodedata

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.errors import AddressNotValid, LanguageUnknown, NameNotValid, SlugNotValid

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_INVISIBLE = ("Cc", "Cs", "Co", "Cn")


def clean_name(name: str, *, limit: int = 80) -> str:
    """Return the name with single spaces, in composed form.

    Raises:
        NameNotValid: empty, too long, or with control characters or lone surrogates.
    """
    cleaned = clean_line(name, limit=limit)
    if not cleaned:
        raise NameNotValid(limit=limit)
    return cleaned


def clean_line(text: str, *, limit: int) -> str:
    """Return one line of text, which may be empty.

    Raises:
        NameNotValid: too long, or with control characters or lone surrogates.
    """
    if any(unicodedata.category(character) in _INVISIBLE for character in text if character not in "\t\r\n"):
        raise NameNotValid(limit=limit)
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if len(cleaned) > limit:
        raise NameNotValid(limit=limit)
    return cleaned


def clean_slug(slug: str) -> str:
    """Return the short name.

    Raises:
        SlugNotValid.
    """
    if not _SLUG.fullmatch(slug):
        raise SlugNotValid
    return slug


def clean_address(address: str) -> str:
    """Return the e-mail address in small letters.

    Raises:
        AddressNotValid.
    """
    cleaned = address.strip().lower()
    try:
        cleaned.encode()
        validate_email(cleaned)
    except (ValidationError, UnicodeEncodeError) as error:
        raise AddressNotValid from error
    return cleaned


def clean_language(language: str) -> str:
    """Return the language code; empty follows the browser.

    Raises:
        LanguageUnknown.
    """
    if language and language not in dict(settings.LANGUAGES):
        raise LanguageUnknown
    return language

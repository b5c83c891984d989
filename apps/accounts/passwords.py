"""A password that is a common one in disguise: capitals, digits for letters, a year or a sign at the end, said twice.

Django's list holds 20,000 passwords; hardly any has twelve characters, so the list alone would let `Password2024!`
pass. Offline: the list comes with Django.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

_LETTERS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s",
                          "!": "i", "|": "l", "+": "t"})  # fmt: skip
_ROWS = ("qwertyuiop", "qwertzuiop", "asdfghjkl", "azertyuiop", "yxcvbnm", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz",
         "0123456789", "1234567890", "qazwsxedcrfvtgbyhnujmikolp",
         "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p")  # fmt: skip
_OURS = frozenset(
    {"chatsystem", "administrator", "passphrase", "kennwort", "passwort", "geheim", "willkommen"}
)
_MOST_WORDS = 2  # three common words in a row are eight million million: that is a passphrase
_FEWEST_CHARACTERS = 5
_FEWEST_DIGITS = 16  # of a password without letters


class CommonVariantValidator:
    """Refuses common passwords in disguise, walks over the keyboard, and repetitions."""

    def validate(self, password: str, user: Model | None = None) -> None:  # noqa: ARG002 - Django's signature
        """Check one password.

        Raises:
            ValidationError: `password_too_common`.
        """
        if is_guessable(password):
            raise ValidationError(self.get_help_text(), code="password_too_common")

    def get_help_text(self) -> str:
        """Return what is wanted, in one sentence."""
        return _("This is close to a password that many people use. A sentence is easy to remember.")


def is_guessable(password: str) -> bool:
    """Return whether a list of common passwords with the usual changes would find this one soon."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    if len(set(plain)) < _FEWEST_CHARACTERS or _is_walk(plain):
        return True
    if not any(character.isalpha() for character in plain):
        return _is_common(plain)
    return any(_is_common(variant) for variant in {plain, plain.translate(_LETTERS), _unsigned(plain)})


def _is_common(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text)
    if not words:
        return len(text) < _FEWEST_DIGITS
    different = set(words)
    if len("".join(different)) > 24 or len(different) > _MOST_WORDS:
        return False
    return all(_is_known(word) for word in different)


def _is_known(word: str) -> bool:
    if len(word) <= 3 or word in _OURS or word in _list():
        return True
    for size in range(1, len(word) // 2 + 1):  # said twice or more
        if len(word) % size == 0 and word[:size] * (len(word) // size) == word and _is_known(word[:size]):
            return True
    known = _list() | _OURS
    return any(word[:cut] in known and word[cut:] in known for cut in range(4, len(word) - 3))


def _unsigned(text: str) -> str:
    """Return the text without what stands before and after its letters, the rest read as letters."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text).translate(_LETTERS)


def _is_walk(text: str) -> bool:
    """Return whether the text is made of pieces of rows of the keyboard, forwards or backwards."""
    rows = [*(row * 3 for row in _ROWS), *(row[::-1] * 3 for row in _ROWS)]
    at = 0
    while at < len(text):
        piece = max((_common_start(text[at:], row) for row in rows), default=0)
        if piece < 3:
            return len(text) - at <= 2 and at > 0
        at += piece
    return True


def _common_start(text: str, row: str) -> int:
    """Return how many characters at the start of the text stand together in the row."""
    size = 0
    while size < len(text) and text[: size + 1] in row:
        size += 1
    return size


@lru_cache(maxsize=1)
def _list() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)

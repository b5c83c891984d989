"""Keep a secret that must be read again: encrypt and decrypt with the keys of the operator.

What only has to be recognized (passwords, tokens, API keys) is hashed instead, never kept here.
"""

from __future__ import annotations

import time
from typing import Final

from django.conf import settings

from apps.core import keyring
from apps.core.conf.secrets import default_providers, find
from apps.core.keyring import KeyRing, SecretUnreadable

VARIABLE: Final = "CHATSYSTEM_ENCRYPTION_KEYS"
KEPT_SECONDS: Final = 5.0
_clock = time.monotonic

__all__ = [
    "SecretUnreadable",
    "blind_index",
    "blind_indexes",
    "current_key_id",
    "decrypt",
    "encrypt",
    "key_ids",
    "ring",
]


def encrypt(text: str, *, context: str) -> str:
    """Return the form a secret is stored in.

    Args:
        context: where it belongs, like `accounts_factor.secret`; it can be read there only, so it stays for ever. With
            the id of the row or organization in it, a copied value is of no use in another one.
    """
    return ring().encrypt(text, context)


def decrypt(stored: str, *, context: str) -> str:
    """Return a secret.

    Raises:
        SecretUnreadable: its key is gone, it was changed, or it was stored for another context.
    """
    return ring().decrypt(stored, context)


def key_id_of(stored: str) -> str:
    """Return the id of the key a stored secret needs.

    Raises:
        SecretUnreadable: it is no stored secret.
    """
    return keyring.split(stored)[0]


def blind_index(text: str, *, context: str) -> str:
    """Return what a secret can be found by: equal for equal texts, under the current key."""
    return ring().current.blind_index(text, context)


def blind_indexes(text: str, *, context: str) -> list[str]:
    """Return what it could be stored under, one for each key: look for any of them."""
    return [key.blind_index(text, context) for key in ring().keys]


def current_key_id() -> str:
    """Return the id of the key that encrypts from now on."""
    return ring().current.id


def key_ids() -> list[str]:
    """Return the ids of the ring, the current one first."""
    return [key.id for key in ring().keys]


def ring() -> KeyRing:
    """Return the keys; their file is looked at again every five seconds."""
    if _kept.ring is None or _clock() >= _kept.until:
        _kept.ring, _kept.until = _read(), _clock() + KEPT_SECONDS
    return _kept.ring


def forget() -> None:
    """Read the keys again at the next use."""
    _kept.ring = None


class _Kept:
    """The keys as they were read last."""

    def __init__(self) -> None:
        self.ring: KeyRing | None = None
        self.until = 0.0
        self.providers = default_providers()


_kept = _Kept()


def _read() -> KeyRing:
    """Own keys first; those made of Django's stay readable, as they may have been the first ones."""
    given, _ = find(VARIABLE, _kept.providers)
    named = keyring.parse(given or "")
    return KeyRing((*named, *keyring.derived([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])))

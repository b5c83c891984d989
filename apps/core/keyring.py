"""The keys stored secrets are encrypted with: named, several at once, the newest for writing.

A stored secret is `enc1.<key id>.<base64 of nonce and text>`: AES-256-GCM with the place it belongs to as associated
data, so that it cannot be read in another column. Each key is split by HKDF (RFC 5869) into one for texts and one for
blind indexes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = "enc1"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


class SecretUnreadable(RuntimeError):
    """A stored secret cannot be read: its key is not in the ring, it was changed, or it belongs elsewhere."""


class KeysInvalid(ValueError):
    """The setting of the keys cannot be read. Its text names no key material."""


@dataclass(frozen=True)
class Key:
    """One key. The id stands in front of what it encrypted and is no secret."""

    id: str
    material: bytes = field(repr=False)

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(_derived(self.material, b"text"))

    @cached_property
    def _index(self) -> bytes:
        return _derived(self.material, b"index")

    def encrypt(self, text: str, context: str) -> str:
        """Return the stored form."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), _bound(context, self.id))
        return f"{VERSION}.{self.id}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"

    def decrypt(self, sealed: bytes, context: str) -> str:
        """Return the text.

        Raises:
            SecretUnreadable.
        """
        try:
            plain = self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(context, self.id)
            )
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable from error
        return plain.decode()

    def blind_index(self, text: str, context: str) -> str:
        """Return what equal texts of one place have in common, and nobody without the key can compute."""
        digest = hmac.new(self._index, f"{context}\0{text}".encode(), hashlib.sha256)
        return f"{self.id}.{digest.hexdigest()}"


@dataclass(frozen=True)
class KeyRing:
    """Keys, the one for writing first."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys or len({key.id for key in self.keys}) < len(self.keys):
            raise KeysInvalid("no key, or two of one id")

    @property
    def current(self) -> Key:
        """Return the key that encrypts from now on."""
        return self.keys[0]

    def encrypt(self, text: str, context: str) -> str:
        """Return the stored form under the current key."""
        return self.current.encrypt(text, context)

    def decrypt(self, stored: str, context: str) -> str:
        """Return the text of a stored form, whichever key of the ring it has.

        Raises:
            SecretUnreadable.
        """
        key_id, sealed = split(stored)
        key = next((key for key in self.keys if key.id == key_id), None)
        if key is None:
            raise SecretUnreadable
        return key.decrypt(sealed, context)


def split(stored: str) -> tuple[str, bytes]:
    """Return the key id and the sealed bytes of a stored form.

    Raises:
        SecretUnreadable: it is none.
    """
    version, _, rest = stored.partition(".")
    key_id, _, sealed = rest.partition(".")
    if version != VERSION or not sealed:
        raise SecretUnreadable
    try:
        return key_id, base64.b64decode(sealed, altchars=b"-_", validate=True)
    except ValueError as error:
        raise SecretUnreadable from error


def parse(text: str) -> tuple[Key, ...]:
    """Return the keys of the setting: `id:base64` of 32 bytes, by comma or line, newest first.

    Raises:
        KeysInvalid.
    """
    keys = []
    for number, entry in enumerate(filter(None, (part.strip() for part in re.split(r"[,\n]", text))), 1):
        key_id, _, encoded = entry.partition(":")
        try:
            material = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except ValueError:
            material = b""
        if not _ID.fullmatch(key_id) or len(material) != KEY_BYTES or len(set(material)) < KEY_BYTES // 4:
            raise KeysInvalid(f"entry {number} is not id:key with 32 random bytes in base64")
        keys.append(Key(key_id, material))
    return tuple(keys)


def derived(secret_keys: Sequence[str]) -> tuple[Key, ...]:
    """Return keys made of Django's: what an installation without keys of its own writes and reads with."""
    made = []
    for secret in secret_keys:
        material = _derived(secret.encode(), b"chatsystem stored secrets")
        made.append(Key(f"s-{hashlib.sha256(material).hexdigest()[:8]}", material))
    return tuple(made)


def _derived(material: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(material)


def _bound(context: str, key_id: str) -> bytes:
    return f"{VERSION}\0{key_id}\0{context}".encode()

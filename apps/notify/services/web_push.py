"""Web Push on the wire: message encryption (RFC 8291 over RFC 8188) and the server's signature (RFC 8292)."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Final

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD_BYTES: Final = 4096  # what every push service takes
_SALT_BYTES, _SECRET_BYTES, _POINT_BYTES = 16, 16, 65
_PAD_TO: Final = 512
_LAST_RECORD: Final = b"\x02"


class KeysInvalid(ValueError):
    """What a browser gave is no point of the curve, or no secret."""


@dataclass(frozen=True)
class BrowserKeys:
    """The keys of a subscription: its point, and the secret shared with this server only."""

    public_key: EllipticCurvePublicKey
    secret: bytes

    @classmethod
    def read(cls, public_key: str, secret: str) -> BrowserKeys:
        """Return the keys from their base64url texts.

        Raises:
            KeysInvalid.
        """
        try:
            point, shared = decode(public_key), decode(secret)
            if len(shared) != _SECRET_BYTES or len(point) != _POINT_BYTES:
                raise KeysInvalid
            return cls(EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point), shared)
        except (binascii.Error, ValueError) as error:
            raise KeysInvalid from error


def encrypt(
    keys: BrowserKeys,
    text: bytes,
    *,
    salt: bytes | None = None,
    own: EllipticCurvePrivateKey | None = None,
    pad_to: int = _PAD_TO,
) -> bytes:
    """Return the body of a push message that only this browser can read.

    Args:
        salt, own: chosen anew for each message; given only to compare with the RFC's example.
        pad_to: lengths up to here look alike.
    """
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    own = own or generate_private_key(SECP256R1())
    theirs, mine = raw(keys.public_key), raw(own.public_key())
    agreed = own.exchange(ECDH(), keys.public_key)
    material = _derive(keys.secret, agreed, b"WebPush: info\0" + theirs + mine, 32)
    key = _derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, material, b"Content-Encoding: nonce\0", 12)
    padding = b"\0" * max(0, pad_to - len(text))
    sealed = AESGCM(key).encrypt(nonce, text + _LAST_RECORD + padding, None)
    return salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(mine)]) + mine + sealed


def signed(key: EllipticCurvePrivateKey, *, audience: str, contact: str, expires_at: int) -> str:
    """Return the Authorization header that says which server sends (VAPID).

    Args:
        audience: origin of the push service. expires_at: Unix time, at most a day ahead.
    """
    head = encode(orjson.dumps({"typ": "JWT", "alg": "ES256"}))
    claims = encode(orjson.dumps({"aud": audience, "exp": expires_at, "sub": contact}))
    r, s = decode_dss_signature(key.sign(f"{head}.{claims}".encode(), ECDSA(hashes.SHA256())))
    signature = encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={head}.{claims}.{signature}, k={encode(raw(key.public_key()))}"


def raw(key: EllipticCurvePublicKey) -> bytes:
    """Return a point, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of base64url, with or without padding.

    Raises:
        binascii.Error.
    """
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)

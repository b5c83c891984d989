"""A push service on loopback, and the browser that reads what it was sent: the other end of RFC 8291, for tests."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.notify.services.web_push import raw


def decrypted(body: bytes, key: EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """Return the text of a push message, as the browser does it."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(sealed) <= size
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender)
    material = _derive(
        secret, key.exchange(ECDH(), theirs), b"WebPush: info\0" + raw(key.public_key()) + sender, 32
    )
    content = _derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, material, b"Content-Encoding: nonce\0", 12)
    padded = AESGCM(content).decrypt(nonce, sealed, None)
    text, _, _padding = padded.rpartition(b"\x02")
    return text


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)

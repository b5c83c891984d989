"""The keys that sign tokens: made here, rotated without a pause, private parts encrypted in their rows.

Ed25519 signs access tokens; RSA is made when the first client wants it for ID tokens, and is never asked about
anything else.

Every process knows the public keys for half a minute at most, and looks again at once after any revocation and when a
token names a key it does not know, so that a new key is believed everywhere from its first token on.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import SigningKey
from apps.accounts.services import principal_cache
from apps.core.services import audit
from apps.core.services.secrets import SecretUnreadable

LIFE = timedelta(days=90)
BELIEVED_AFTER = timedelta(minutes=15)  # longer than the longest access token
_CACHE_SECONDS = 30.0
_LOCK = 7_291_843  # of the transaction that makes a key
_EDDSA, _RS256 = SigningKey.Algorithm.EDDSA, SigningKey.Algorithm.RS256
_RSA_BITS, _RSA_EXPONENT = 2048, 65537
PrivateKey = TypeVar("PrivateKey", Ed25519PrivateKey, RSAPrivateKey)


@dataclass(frozen=True)
class Signer(Generic[PrivateKey]):
    """The key that signs now."""

    kid: str
    key: PrivateKey


@dataclass
class _Known:
    """What this process knows: public keys, when it looked, and how many invalidations there were by then."""

    keys: dict[str, Ed25519PublicKey]
    looked_at: float = float("-inf")
    generation: int = -1


_known = _Known({})
_lock = threading.Lock()


def find_public_key(kid: str) -> Ed25519PublicKey | None:
    """Return the Ed25519 key of this name if it is believed now. Mostly no query; one for a name not known here."""
    now = time.monotonic()
    with _lock:
        generation = principal_cache.generation()
        is_stale = now - _known.looked_at > _CACHE_SECONDS or _known.generation != generation
        if is_stale or kid not in _known.keys:
            _known.generation = generation
            _known.keys = {row.kid: _public(row) for row in believed() if row.algorithm == _EDDSA}
            _known.looked_at = now
        return _known.keys.get(kid)


def believed() -> list[SigningKey]:
    """Return the keys whose tokens are believed now, newest first, without their private parts. One query."""
    oldest = timezone.now() - BELIEVED_AFTER
    rows = SigningKey.objects.defer("private_key").filter(revoked_at=None).order_by("-created_at", "kid")
    return [row for row in rows if row.retired_at is None or row.retired_at > oldest]


def key_set() -> dict[str, list[dict[str, str]]]:
    """Return the public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {"keys": [_as_jwk(row) for row in believed()]}


def signer() -> Signer[Ed25519PrivateKey]:
    """Return the key that signs now; makes one where there is none that this server can open. Two queries."""
    found = _newest()
    if found is None:
        with transaction.atomic():
            _one_at_a_time()
            found = _newest() or _make()
    return found


def rsa_signer() -> Signer[RSAPrivateKey]:
    """Return the RSA key that signs ID tokens now; makes one where there is none. Two queries."""
    found = _newest_rsa()
    if found is None:
        with transaction.atomic():
            _one_at_a_time()
            found = _newest_rsa() or _make_rsa()
    return found


def rotate_key() -> str:
    """Let new keys sign from now on and return the name of the Ed25519 one; what older ones signed is believed on."""
    with transaction.atomic():
        _one_at_a_time()
        is_rsa_used = SigningKey.objects.filter(retired_at=None, algorithm=_RS256).exists()
        SigningKey.objects.filter(retired_at=None).update(retired_at=timezone.now())
        kid = _make().kid
        _note(actions.SIGNING_KEY_ROTATED, kid)
        if is_rsa_used:
            _note(actions.SIGNING_KEY_ROTATED, _make_rsa().kid)
    return kid


def revoke_key(*, kid: str) -> bool:
    """Believe nothing a leaked key signed, from now on; return whether there was such a key. Another one signs."""
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time()
        found = SigningKey.objects.filter(kid=kid, revoked_at=None).update(revoked_at=now, retired_at=now)
        if found:
            _note(actions.SIGNING_KEY_REVOKED, kid)
        transaction.on_commit(principal_cache.announce)
    return bool(found)


def rotate_when_old() -> None:
    """Rotate a key that signed for 90 days, and forget keys nobody needs any more; repeating it is harmless."""
    now = timezone.now()
    SigningKey.objects.filter(retired_at__lt=now - 2 * BELIEVED_AFTER).delete()
    if SigningKey.objects.filter(retired_at=None, created_at__lt=now - LIFE).exists():
        rotate_key()


def _note(action: str, kid: str) -> None:
    """Write an act of the whole installation into its trail."""
    audit.record(organization_id=None, action=action, actor_id=None, object_type="signing_key", object_id=kid)


def _newest() -> Signer[Ed25519PrivateKey] | None:
    found = _opened(_EDDSA)
    return None if found is None else Signer(found[0], Ed25519PrivateKey.from_private_bytes(found[1]))


def _newest_rsa() -> Signer[RSAPrivateKey] | None:
    found = _opened(_RS256)
    if found is None:
        return None
    key = load_der_private_key(found[1], password=None)
    return Signer(found[0], key) if isinstance(key, RSAPrivateKey) else None


def _opened(algorithm: str) -> tuple[str, bytes] | None:
    """Return name and private part of the newest key of a kind that this server can open."""
    rows = SigningKey.objects.filter(algorithm=algorithm, retired_at=None, revoked_at=None)
    for row in rows.defer("private_key").order_by("-created_at", "kid"):
        try:
            return row.kid, base64.b64decode(row.private_key)
        except SecretUnreadable:
            continue  # made under a key this server has no more: it verifies, but cannot sign
    return None


def _make() -> Signer[Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    return Signer(_store(_EDDSA, key.public_key().public_bytes_raw(), key.private_bytes_raw()), key)


def _make_rsa() -> Signer[RSAPrivateKey]:
    key = generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(
        _store(_RS256, public, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())), key
    )


def _store(algorithm: str, public: bytes, private: bytes) -> str:
    kid = secrets.token_hex(11)  # no hyphen in front: a command line would take the name for an option
    SigningKey.objects.create(
        kid=kid, algorithm=algorithm, public_key=public, private_key=base64.b64encode(private).decode()
    )
    return kid


def _as_jwk(row: SigningKey) -> dict[str, str]:
    common = {"alg": row.algorithm, "use": "sig", "kid": row.kid}
    if row.algorithm == _EDDSA:
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(bytes(row.public_key)), **common}
    key = load_der_public_key(bytes(row.public_key))
    if not isinstance(key, RSAPublicKey):
        raise TypeError(f"{row.kid} is no RSA key")
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **common}


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def base64url(raw: bytes) -> str:
    """Return bytes as JOSE writes them, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _public(row: SigningKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes(row.public_key))

"""The keys that sign access tokens: made here, rotated without a pause, private parts encrypted in their rows.

Every process knows the public keys for half a minute at most, and looks again at once after any revocation and when a
token names a key it does not know, so that a new key is believed everywhere from its first token on.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import SigningKey
from apps.accounts.services import principal_cache
from apps.core.services import audit

LIFE = timedelta(days=90)
BELIEVED_AFTER = timedelta(minutes=15)  # longer than the longest access token
_PURPOSE = b"chatsystem signing keys 1"
_CACHE_SECONDS = 30.0
_LOCK = 7_291_843  # of the transaction that makes a key


@dataclass(frozen=True)
class Signer:
    """The key that signs now."""

    kid: str
    key: Ed25519PrivateKey


@dataclass
class _Known:
    """What this process knows: public keys, when it looked, and how many invalidations there were by then."""

    keys: dict[str, Ed25519PublicKey]
    looked_at: float = float("-inf")
    generation: int = -1


_known = _Known({})
_lock = threading.Lock()


def find_public_key(kid: str) -> Ed25519PublicKey | None:
    """Return the key of this name if it is believed now. Mostly no query; one for a name that is not known here."""
    now = time.monotonic()
    with _lock:
        generation = principal_cache.generation()
        is_stale = now - _known.looked_at > _CACHE_SECONDS or _known.generation != generation
        if is_stale or kid not in _known.keys:
            _known.generation = generation
            _known.keys = {row.kid: _public(row) for row in believed()}
            _known.looked_at = now
        return _known.keys.get(kid)


def believed() -> list[SigningKey]:
    """Return the keys whose tokens are believed now, newest first. One query."""
    oldest = timezone.now() - BELIEVED_AFTER
    rows = SigningKey.objects.filter(revoked_at=None).order_by("-created_at", "kid")
    return [row for row in rows if row.retired_at is None or row.retired_at > oldest]


def key_set() -> dict[str, list[dict[str, str]]]:
    """Return the public keys as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": row.kid,
                "x": base64.urlsafe_b64encode(bytes(row.public_key)).rstrip(b"=").decode(),
            }
            for row in believed()
        ]
    }


def signer() -> Signer:
    """Return the key that signs now; makes one where there is none that this server can open. One query."""
    found = _newest()
    if found is None:
        with transaction.atomic():
            _one_at_a_time()
            found = _newest() or _make()
    return found


def rotate_key() -> str:
    """Let a new key sign from now on and return its name; what older ones signed is believed to its end."""
    with transaction.atomic():
        _one_at_a_time()
        SigningKey.objects.filter(retired_at=None).update(retired_at=timezone.now())
        kid = _make().kid
        _note(actions.SIGNING_KEY_ROTATED, kid)
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


def _newest() -> Signer | None:
    for row in SigningKey.objects.filter(retired_at=None, revoked_at=None).order_by("-created_at", "kid"):
        try:
            raw = _box().decrypt(bytes(row.private_key))
        except InvalidToken:
            continue  # made under a secret key this server has no more: it verifies, but cannot sign
        return Signer(row.kid, Ed25519PrivateKey.from_private_bytes(raw))
    return None


def _make() -> Signer:
    key = Ed25519PrivateKey.generate()
    kid = secrets.token_urlsafe(16)
    SigningKey.objects.create(
        kid=kid,
        public_key=key.public_key().public_bytes_raw(),
        private_key=_box().encrypt(key.private_bytes_raw()),
    )
    return Signer(kid, key)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _public(row: SigningKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes(row.public_key))


def _box() -> MultiFernet:
    """Return what seals private keys: made from the secret key; older ones still open."""
    return MultiFernet([_fernet(text) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(text: str) -> Fernet:
    salt = hashlib.sha256(_PURPOSE).digest()
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=_PURPOSE).derive(text.encode())
    return Fernet(base64.urlsafe_b64encode(derived))

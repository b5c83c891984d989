"""The server's key pair for Web Push, made when the first browser asks and kept encrypted for good."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.core.outbound.urls import read
from apps.notify.models import PushKey
from apps.notify.services import web_push

_LOCK = 7_291_902  # of the transaction that makes the key
_HOURS = 12


def public_key() -> str:
    """Return what browsers subscribe with; makes the pair where there is none. One query."""
    found = PushKey.objects.defer("private_key").order_by("created_at").first()
    return (found or _make()).public_key


def authorization(endpoint: str) -> str:
    """Return the Authorization header for a push service's address. One query."""
    target = read(endpoint)
    port = "" if target.port == 443 else f":{target.port}"
    return web_push.signed(
        _private_key(),
        audience=f"{target.scheme}://{target.host}{port}",
        contact=settings.CONFIGURATION.notification.push_contact or f"mailto:{settings.DEFAULT_FROM_EMAIL}",
        expires_at=int(timezone.now().timestamp()) + _HOURS * 3600,
    )


def _private_key() -> EllipticCurvePrivateKey:
    row = PushKey.objects.order_by("created_at").first() or _make()
    key = load_der_private_key(base64.b64decode(row.private_key), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("the stored push key is of another kind")
    return key


def _make() -> PushKey:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = PushKey.objects.order_by("created_at").first()
        if found is not None:
            return found
        key = generate_private_key(SECP256R1())
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return PushKey.objects.create(
            private_key=base64.b64encode(private).decode("ascii"),
            public_key=web_push.encode(web_push.raw(key.public_key())),
        )

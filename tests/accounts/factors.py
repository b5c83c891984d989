"""Second factors without a phone: the codes of an app, and a security key of our own."""

from __future__ import annotations

import hashlib
import json
import struct
import time
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from apps.accounts.models import User
from apps.accounts.services import factors
from tests.factories.accounts import PASSWORD

PRESENT, VERIFIED = 0x01, 0x04


def code_of(secret: str, *, steps: int = 0) -> str:
    """Return what an app shows now, or some half minutes away."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def enrol(user: User) -> str:
    """Give a person an authenticator app, set up a while ago, and return its secret."""
    secret = generate_totp_secret()
    factor = factors.add_app(user_id=user.pk, secret=secret, code=code_of(secret), keep_key=None)
    factor.last_step = 0
    factor.save(update_fields=["last_step"])
    return secret


def first_step(client: Client, user: User, password: str = PASSWORD, **more: str) -> Any:
    """Send the form of address and password."""
    return client.post("/accounts/login/", {"login": user.email, "password": password, **more})


def second_step(client: Client, code: str) -> Any:
    """Send the code."""
    return client.post("/accounts/second-factor/", {"code": code})


@dataclass
class SoftKey:
    """A security key in software: one credential, ES256, without attestation."""

    origin: str
    rp_id: str
    user_handle: bytes = b""
    counter: int = 0
    id: bytes = field(default_factory=lambda: token_bytes(16))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any]) -> str:
        """Answer `navigator.credentials.create`."""
        asked = options["publicKey"]
        credential = AttestedCredentialData.create(
            b"\0" * 16, self.id, ES256.from_cryptography_key(self.private.public_key())
        )
        data = AuthenticatorData.create(self._hash(), PRESENT | VERIFIED | 0x40, self.counter, credential)
        attestation = AttestationObject.create("none", data, {})
        response = {
            "clientDataJSON": self._client_data("webauthn.create", asked["challenge"]),
            "attestationObject": websafe_encode(bytes(attestation)),
        }
        return self._answer(response)

    def use(self, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED, challenge: str = "") -> str:
        """Answer `navigator.credentials.get`."""
        self.counter += 1
        client_data = self._client_data("webauthn.get", challenge or options["publicKey"]["challenge"])
        signed_over = self._hash() + struct.pack(">BI", flags, self.counter)
        digest = hashlib.sha256(websafe_decode(client_data)).digest()
        signature = self.private.sign(signed_over + digest, ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": websafe_encode(signed_over),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(self.user_handle),
        }
        return self._answer(response)

    def _hash(self) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest()

    def _client_data(self, kind: str, challenge: str) -> str:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return websafe_encode(json.dumps(told).encode())

    def _answer(self, response: dict[str, Any]) -> str:
        named = websafe_encode(self.id)
        return json.dumps(
            {
                "id": named,
                "rawId": named,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )

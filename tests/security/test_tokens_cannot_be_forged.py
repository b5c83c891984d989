"""SEC-06: forged access tokens are refused, each with 401; what a token says of rights does not count."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.test import Client

from apps.accounts.models import Member
from apps.accounts.services import access_tokens, signing_keys, tokens
from apps.accounts.types import IssuedTokens
from apps.core.ids import uuid7
from tests.factories.accounts import MemberFactory, principal_of

pytestmark = pytest.mark.django_db
STRANGER = Ed25519PrivateKey.generate()


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumped(value: Any) -> str:
    return b64(json.dumps(value).encode())


@dataclass
class Forger:
    """Somebody with a true token, all public keys, the source code, and time."""

    member: Member
    issued: IssuedTokens

    @property
    def token(self) -> str:
        return self.issued.access_token

    @property
    def parts(self) -> list[str]:
        return self.token.split(".")

    @property
    def header(self) -> dict[str, Any]:
        found: dict[str, Any] = jwt.get_unverified_header(self.token)
        return found

    @property
    def claims(self) -> dict[str, Any]:
        found: dict[str, Any] = jwt.decode(self.token, options={"verify_signature": False})
        return found

    def signed(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign what is asked for, with the server's own key unless another is named."""
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not ...}
        return self.raw(dumped(header or self.header), dumped(said), key)

    def raw(self, header: str, body: str, key: Any = None) -> str:
        text = f"{header}.{body}"
        return f"{text}.{b64((key or signing_keys.signer().key).sign(text.encode()))}"

    def hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        text = f"{dumped({**self.header, 'alg': algorithm})}.{self.parts[1]}"
        return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        return signing_keys.signer().key.public_key().public_bytes(encoding, form)


@pytest.fixture
def forger() -> Forger:
    member = MemberFactory(role="member")
    return Forger(member, tokens.open_family(principal=principal_of(member), name="Phone"))


def flipped(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def other_spelling(text: str) -> str:
    """Return another last character that decodes to the same bytes."""
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def _rs256(f: Forger) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(f.claims, key, algorithm="RS256", headers={"kid": f.header["kid"], "typ": "at+jwt"})


def _es256(f: Forger) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(f.claims, key, algorithm="ES256", headers={"kid": f.header["kid"], "typ": "at+jwt"})


def _doubled(f: Forger, claim: str, value: Any) -> str:
    text = json.dumps(f.claims)[:-1] + f", {json.dumps(claim)}: {json.dumps(value)}}}"
    return f.raw(f.parts[0], b64(text.encode()))


def _foreign_family(f: Forger) -> str:
    other = MemberFactory()
    issued = tokens.open_family(principal=principal_of(other), name="x")
    return f.signed(sid=str(issued.family))


def with_header(**more: Any) -> Callable[[Forger], str]:
    return lambda f: f.signed(header={name: v for name, v in {**f.header, **more}.items() if v is not ...})


def with_claims(**more: Any) -> Callable[[Forger], str]:
    return lambda f: f.signed(**more)


NOW = time.time
FORGERIES: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda f: f"{dumped({**f.header, 'alg': 'none'})}.{f.parts[1]}.",
    "alg None with the old signature": lambda f: (
        f"{dumped({**f.header, 'alg': 'None'})}.{f.parts[1]}.{f.parts[2]}"
    ),
    "alg NONE without signature": lambda f: f"{dumped({**f.header, 'alg': 'NONE'})}.{f.parts[1]}.AA",
    "HMAC with the public key, raw": lambda f: f.hmac(f.public(Encoding.Raw, PublicFormat.Raw)),
    "HMAC with the public key, PEM": lambda f: f.hmac(
        f.public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HMAC with the secret key": lambda f: f.hmac(settings.SECRET_KEY.encode()),
    "HMAC with nothing": lambda f: f.hmac(b""),
    "RS256 by a stranger": _rs256,
    "ES256 by a stranger": _es256,
    "EdDSA by a stranger under our key's name": lambda f: f.signed(STRANGER),
    "EdDSA by a stranger under its own name": lambda f: f.signed(STRANGER, {**f.header, "kid": "A" * 22}),
    "own algorithm, other name": with_header(alg="Ed25519"),
    "no kid": with_header(kid=...),
    "kid is a path": with_header(kid="../../../../dev/null"),
    "kid is SQL": with_header(kid="' UNION SELECT 'x' --"),
    "kid is a number": with_header(kid=1),
    "kid is a list": with_header(kid=["a"]),
    "kid has a NUL": with_header(kid="a\x00"),
    "jku": with_header(jku="https://evil.example/jwks.json"),
    "jwk": with_header(jwk={"kty": "OKP", "crv": "Ed25519", "x": b64(b"x" * 32)}),
    "x5u": with_header(x5u="https://evil.example/cert.pem"),
    "x5c": with_header(x5c=["AAAA"]),
    "crit": with_header(crit=["exp"]),
    "b64 false": with_header(b64=False),
    "typ of an id token": with_header(typ="JWT"),
    "typ missing": with_header(typ=...),
    "expired": with_claims(exp=int(NOW()) - 1, iat=int(NOW()) - 601),
    "no exp": with_claims(exp=...),
    "exp as text": with_claims(exp=str(int(NOW()) + 600)),
    "exp as a fraction": with_claims(exp=NOW() + 600.5),
    "exp far away": with_claims(exp=int(NOW()) + 10**9),
    "not yet": with_claims(nbf=int(NOW()) + 3600),
    "issued in the future": with_claims(iat=int(NOW()) + 3600, exp=int(NOW()) + 4000),
    "another audience": with_claims(aud="https://other.example/api"),
    "a list of audiences": lambda f: f.signed(aud=[access_tokens.audience(), "https://other.example"]),
    "no audience": with_claims(aud=...),
    "another issuer": with_claims(iss="https://evil.example"),
    "no issuer": with_claims(iss=...),
    "a role claim": with_claims(role="owner"),
    "an organization claim": with_claims(organization=str(uuid7())),
    "a scope claim": with_claims(scope="admin:write"),
    "another subject": lambda f: f.signed(sub=str(MemberFactory(organization=f.member.organization).user_id)),
    "another person's family": _foreign_family,
    "a family that never was": lambda f: f.signed(sid=str(uuid7())),
    "subject is SQL": with_claims(sub="' OR true --"),
    "subject is a number": with_claims(sub=1),
    "subject twice": lambda f: _doubled(f, "sub", f.claims["sub"]),
    "exp twice": lambda f: _doubled(f, "exp", int(NOW()) + 300),
    "claims are a list": lambda f: f.raw(f.parts[0], dumped([1])),
    "claims are no JSON": lambda f: f.raw(f.parts[0], b64(b"{")),
    "claims nested deeply": lambda f: f.raw(f.parts[0], b64(b"[" * 1000)),
    "padded": lambda f: f.token + "==",
    "padded body": lambda f: f"{f.parts[0]}.{f.parts[1]}=.{f.parts[2]}",
    "signature in another spelling": lambda f: f"{f.parts[0]}.{f.parts[1]}.{other_spelling(f.parts[2])}",
    "body changed": lambda f: f"{f.parts[0]}.{flipped(f.parts[1], 20)}.{f.parts[2]}",
    "signature changed": lambda f: f"{f.parts[0]}.{f.parts[1]}.{flipped(f.parts[2], 5)}",
    "signature gone": lambda f: f"{f.parts[0]}.{f.parts[1]}.",
    "body of another token": lambda f: f"{f.parts[0]}.{dumped({**f.claims, 'jti': 'x'})}.{f.parts[2]}",
    "huge": lambda f: f.signed(jti="x" * 5000),
    "very huge": lambda f: "ey" + "A" * 7000 + ".A.A",
    "four parts": lambda f: f.token + ".AAAA",
    "five parts": lambda f: f.token + ".AAAA.AAAA",
    "letters of another alphabet": lambda f: f.token.replace(".", "․", 1).encode().decode("latin-1"),
    "the refresh token": lambda f: f.issued.refresh_token,
    "the family's id": lambda f: str(f.issued.family),
}


def call(token: str) -> Any:
    return Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})


def test_the_true_token_works(forger: Forger) -> None:
    """The control, also for what the forger signs: the same claims in the same form are taken."""
    assert call(forger.token).status_code == 200
    assert call(forger.signed()).status_code == 200
    assert len(FORGERIES) >= 40


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(forger: Forger, name: str) -> None:
    answer = call(FORGERIES[name](forger))
    assert answer.status_code == 401, answer.content
    assert answer.json()["code"] in ("accounts.token_not_valid", "core.not_signed_in")
    assert answer["WWW-Authenticate"]


def test_bite_without_the_check_of_the_signature_a_stranger_gets_in(
    forger: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = FORGERIES["EdDSA by a stranger under our key's name"](forger)
    assert call(forged).status_code == 401
    monkeypatch.setattr(
        access_tokens, "_verified", lambda token, key: access_tokens._part(token.split(".")[1])
    )
    assert call(forged).status_code == 200


def test_bite_without_the_one_form_a_doubled_claim_gets_in(
    forger: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = FORGERIES["subject twice"](forger)
    assert call(forged).status_code == 401
    monkeypatch.setattr(access_tokens, "_once", dict)
    assert call(forged).status_code == 200


def test_an_access_token_does_not_refresh(forger: Forger) -> None:
    answer = Client().post(
        "/api/v1/tokens/refresh/", {"refresh_token": forger.token[:100]}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "accounts.token_not_valid")


def test_no_literal_of_the_repository_signs(forger: Forger) -> None:
    for literal in ("secret", "changeme", "chatsystem", settings.PUBLIC_URL, access_tokens.ALGORITHM):
        assert call(forger.hmac(literal.encode())).status_code == 401
        seed = hashlib.sha256(literal.encode()).digest()
        assert call(forger.signed(Ed25519PrivateKey.from_private_bytes(seed))).status_code == 401


@pytest.mark.parametrize("name", ["access_token", "token", "q"])
def test_a_token_in_the_address_is_refused(forger: Forger, name: str) -> None:
    for secret in (forger.token, forger.issued.refresh_token):
        answer = Client().get(f"/api/v1/me/?{name}={secret}")
        assert (answer.status_code, answer.json()["code"]) == (400, "accounts.key_in_address")
        both = Client().get(
            f"/api/v1/me/?{name}={secret}", headers={"Authorization": f"Bearer {forger.token}"}
        )
        assert both.status_code == 400

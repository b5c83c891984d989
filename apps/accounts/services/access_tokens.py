"""Access tokens: signed statements of ten minutes that name a family of tokens, and nothing of its rights.

Why not the strategy of allauth.headless: it signs with HMAC or RSA only, checks neither audience nor issuer, knows no
second key, and keeps refresh tokens in the session without noticing that one comes again.

A token of a registered client also says client, organization and scopes, for other services that verify it (RFC 9068);
here they do not count, the rows do.

A token is taken only in the one form that we write: three canonical base64url parts, exactly our header and claims,
each name once. What a library would tolerate (padding, other characters, more headers, doubled names) is refused.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings

from apps.accounts.errors import TokenNotValid
from apps.accounts.services import signing_keys
from apps.core.ids import uuid7

ACCESS_SECONDS = 600
ALGORITHM, TYPE = "EdDSA", "at+jwt"  # RFC 8037, RFC 9068
LONGEST = 2048
_SKEW_SECONDS = 30  # clocks of two web servers may differ; a token never lives longer for it
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KID = re.compile(r"[A-Za-z0-9_-]{22}")
_HEADER = {"alg", "kid", "typ"}
_CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}
_OF_CLIENT = {"client_id", "org", "scope"}


@dataclass(frozen=True)
class Claims:
    """What a valid token says: whose family it belongs to, and the second it ends in."""

    principal_id: UUID
    family_id: UUID
    expires_at: int


@dataclass(frozen=True)
class Granted:
    """What a token of a registered client says beside."""

    client_id: UUID
    organization_id: UUID
    scopes: tuple[str, ...]


def issuer() -> str:
    """Return who signs: the address of this server."""
    return str(settings.PUBLIC_URL)


def audience() -> str:
    """Return who the tokens are for: the API of this server."""
    return f"{settings.PUBLIC_URL}/api"


def sign(*, principal_id: UUID, family_id: UUID, granted: Granted | None = None) -> tuple[str, int]:
    """Return a new access token and the second it ends in. One query."""
    now = int(time.time())
    signer = signing_keys.signer()
    claims: dict[str, str | int] = {
        "iss": issuer(),
        "aud": audience(),
        "sub": str(principal_id),
        "sid": str(family_id),
        "jti": str(uuid7()),
        "iat": now,
        "nbf": now - _SKEW_SECONDS,
        "exp": now + ACCESS_SECONDS,
    }
    if granted is not None:
        claims |= {
            "client_id": str(granted.client_id),
            "org": str(granted.organization_id),
            "scope": " ".join(granted.scopes),
        }
    token = jwt.encode(claims, signer.key, algorithm=ALGORITHM, headers={"kid": signer.kid, "typ": TYPE})
    return token, now + ACCESS_SECONDS


def looks_like_one(text: str) -> bool:
    """Return whether a bearer credential wants to be a signed token."""
    return text.startswith("ey") and text.count(".") == 2


def read(token: str) -> Claims:
    """Return what the token says. Mostly no query; the caller asks the rows whether the family is open.

    Raises:
        TokenNotValid: anything but an unexpired token of ours, for this server, in our one form.
    """
    if len(token) > LONGEST or not _SHAPE.fullmatch(token):
        raise TokenNotValid
    first, _, last = token.split(".")
    _bytes(last)
    header = _part(first)
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise TokenNotValid
    kid = header["kid"]
    key = signing_keys.find_public_key(kid) if isinstance(kid, str) and _KID.fullmatch(kid) else None
    if key is None:
        raise TokenNotValid
    return _claims(_verified(token, key))


def _verified(token: str, key: Any) -> dict[str, Any]:
    try:
        jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience(),
            issuer=issuer(),
            options={"require": sorted(_CLAIMS), "verify_iat": False, "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, OverflowError) as error:
        raise TokenNotValid from error
    return _part(token.split(".")[1])


def _claims(said: dict[str, Any]) -> Claims:
    times = [said.get(name) for name in ("iat", "nbf", "exp")]
    if set(said) not in (_CLAIMS, _CLAIMS | _OF_CLIENT) or not all(type(value) is int for value in times):
        raise TokenNotValid
    if not all(isinstance(said.get(name, ""), str) for name in _OF_CLIENT):
        raise TokenNotValid
    if not said["iat"] - _SKEW_SECONDS <= time.time() < said["exp"] <= said["iat"] + ACCESS_SECONDS:
        raise TokenNotValid
    try:
        return Claims(UUID(said["sub"]), UUID(said["sid"]), said["exp"])
    except (ValueError, AttributeError, TypeError) as error:
        raise TokenNotValid from error


def _part(text: str) -> dict[str, Any]:
    """Decode one part as an object with each name once."""
    try:
        found = json.loads(_bytes(text), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise TokenNotValid from error
    if not isinstance(found, dict):
        raise TokenNotValid
    return found


def _bytes(text: str) -> bytes:
    """Decode base64url in its one spelling: several texts would else be the same token."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise TokenNotValid from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise TokenNotValid
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenNotValid
    return found

"""The token endpoint and what stands beside it: grants, ID tokens, introspection (RFC 7662), revocation (RFC 7009).

There is no second kind of token: access tokens are those of `access_tokens`, refresh tokens those of `tokens`.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any
from uuid import UUID

import jwt
from django.db import transaction
from django.utils import timezone

from apps.accounts.errors import MemberNotFound, OAuthRefusal, SecondFactorRequired, TokenNotValid
from apps.accounts.models import OAuthClient, RefreshToken, TokenFamily
from apps.accounts.selectors.principals import hash_secret, principal_for_family, principal_of_member
from apps.accounts.services import access_tokens, oauth_devices, signing_keys, tokens
from apps.accounts.services.oauth_codes import Exchanged, exchange_code
from apps.accounts.services.oauth_requests import Parameters, one, read_scopes
from apps.accounts.services.secrets import is_well_formed
from apps.accounts.types import (
    CLIENT_GRANT,
    CODE_GRANT,
    DEVICE_GRANT,
    IDENTITY_SCOPES,
    OFFLINE,
    OPENID,
    REFRESH_GRANT,
    IssuedTokens,
    KnownClient,
    Proof,
)
from apps.core import tenancy
from apps.core.errors import NotSignedIn

DEVICE_URN = "urn:ietf:params:oauth:grant-type:device_code"
ID_TOKEN_SECONDS = 600
INACTIVE: dict[str, Any] = {"active": False}
Answer = dict[str, Any]


def grant(*, client: KnownClient, parameters: Parameters, address: str = "") -> Answer:
    """Return the answer of the token endpoint to a client that proved who it is.

    Raises:
        OAuthRefusal.
    """
    wanted = one(parameters, "grant_type")
    kind = {DEVICE_URN: DEVICE_GRANT}.get(wanted, wanted)
    if kind not in _GRANTS or wanted == DEVICE_GRANT:
        raise OAuthRefusal("unsupported_grant_type", "This grant_type is not supported.")
    if kind not in client.grants:
        raise OAuthRefusal("unauthorized_client", "This client may not use this grant_type.")
    answer: Answer = _GRANTS[kind](client, parameters, address)
    return answer


def id_token(client: KnownClient, exchanged: Exchanged) -> str:
    """Return who signed in, signed for the client (OpenID Connect Core 2)."""
    now = int(time.time())
    is_rsa = client.id_token_algorithm == OAuthClient.Algorithm.RS256
    claims: Answer = {
        "iss": access_tokens.issuer(),
        "sub": str(exchanged.principal.id),
        "aud": str(client.id),
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        "at_hash": _half_hash(exchanged.issued.access_token, is_rsa=is_rsa),
        **_proof(exchanged.proof),
    }
    if exchanged.nonce:
        claims["nonce"] = exchanged.nonce
    signer: signing_keys.Signer[Any] = signing_keys.rsa_signer() if is_rsa else signing_keys.signer()
    return jwt.encode(claims, signer.key, algorithm=client.id_token_algorithm, headers={"kid": signer.kid})


def introspect(*, client: KnownClient, token: str) -> Answer:
    """Return what a token of the client's own says, or only that it is not active.

    Raises:
        OAuthRefusal: a public client, which cannot prove who it is.
    """
    if not client.is_confidential:
        raise OAuthRefusal("invalid_client", "Only a client with a secret may ask about tokens.", status=401)
    found = _family_of(client, token)
    if found is None:
        return INACTIVE
    family, expires_at, kind = found
    try:
        principal_for_family(family.pk, owner_id=family.principal_id)
    except NotSignedIn:
        return INACTIVE
    return {
        "active": True,
        "token_type": kind,
        "scope": " ".join(family.scopes or ()),
        "client_id": str(client.id),
        "sub": str(family.principal_id),
        "org": str(family.organization_id),
        "iss": access_tokens.issuer(),
        "aud": access_tokens.audience(),
        "exp": expires_at,
    }


def revoke(*, client: KnownClient, token: str) -> None:
    """End the line a token of the client's own belongs to; one that is not its own changes nothing and says nothing."""
    found = _family_of(client, token)
    if found is None:
        return
    with tenancy.use(client.organization_id), transaction.atomic():
        tokens.end_families(
            organization_id=client.organization_id,
            client_id=client.id,
            family_id=found[0].pk,
            reason="token_revoked",
            actor_id=found[0].principal_id,
        )


def _by_code(client: KnownClient, parameters: Parameters, address: str) -> Answer:
    exchanged = exchange_code(
        client=client,
        code=_required(parameters, "code"),
        redirect_uri=_required(parameters, "redirect_uri"),
        verifier=_required(parameters, "code_verifier"),
        address=address,
    )
    return _with_id_token(client, exchanged)


def _by_refresh(client: KnownClient, parameters: Parameters, address: str) -> Answer:
    asked = one(parameters, "scope")
    if asked:
        read_scopes(asked, client)
    try:
        issued = tokens.refresh(
            secret=_required(parameters, "refresh_token"), address=address, client_id=client.id
        )
    except TokenNotValid as error:
        raise OAuthRefusal("invalid_grant", "The refresh token is unknown, used or over.") from error
    except SecondFactorRequired as error:
        raise OAuthRefusal(
            "invalid_grant", "The organization asks the person for a second factor."
        ) from error
    return _answer(issued)


def _by_itself(client: KnownClient, parameters: Parameters, address: str) -> Answer:
    offered = [scope for scope in client.scopes if scope not in (*IDENTITY_SCOPES, OFFLINE)]
    asked = one(parameters, "scope")
    scopes = read_scopes(asked, client) if asked else tuple(offered)
    if not scopes or not set(scopes) <= set(offered):
        raise OAuthRefusal("invalid_scope", "A client that acts for itself has no identity to tell of.")
    try:
        principal = principal_of_member(organization_id=client.organization_id, user_id=_service_of(client))
    except MemberNotFound as error:
        raise OAuthRefusal(
            "unauthorized_client", "The service account of this client is switched off."
        ) from error
    return _answer(
        tokens.open_for_client(
            principal=principal,
            client_id=client.id,
            name=client.name,
            scopes=scopes,
            is_refreshable=False,
            address=address,
        )
    )


def _by_device(client: KnownClient, parameters: Parameters, address: str) -> Answer:
    exchanged = oauth_devices.poll_device(
        client=client, device_code=_required(parameters, "device_code"), address=address
    )
    return _with_id_token(client, exchanged)


_GRANTS = {
    CODE_GRANT: _by_code,
    REFRESH_GRANT: _by_refresh,
    CLIENT_GRANT: _by_itself,
    DEVICE_GRANT: _by_device,
}


def _with_id_token(client: KnownClient, exchanged: Exchanged) -> Answer:
    answer = _answer(exchanged.issued)
    if OPENID in (exchanged.issued.scopes or ()):
        answer["id_token"] = id_token(client, exchanged)
    return answer


def _answer(issued: IssuedTokens) -> Answer:
    answer: Answer = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": access_tokens.ACCESS_SECONDS,
        "scope": " ".join(issued.scopes or ()),
    }
    if issued.refresh_token:
        answer["refresh_token"] = issued.refresh_token
    return answer


def _required(parameters: Parameters, name: str) -> str:
    value = one(parameters, name)
    if not value:
        raise OAuthRefusal("invalid_request", f"The parameter {name} is missing.")
    return value


def _service_of(client: KnownClient) -> UUID:
    if client.service_id is None:
        raise OAuthRefusal("unauthorized_client", "This client has no service account.")
    return client.service_id


def _proof(proof: Proof) -> Answer:
    found: Answer = {"auth_time": proof.signed_in_at}
    if proof.methods:
        found["amr"] = list(proof.methods)
    return found


def _half_hash(token: str, *, is_rsa: bool) -> str:
    """Return `at_hash`: half of the hash that the signature uses, SHA-512 for Ed25519."""
    digest = (hashlib.sha256 if is_rsa else hashlib.sha512)(token.encode()).digest()
    return signing_keys.base64url(digest[: len(digest) // 2])


def _family_of(client: KnownClient, token: str) -> tuple[TokenFamily, int, str] | None:
    """Return the open family of an access or refresh token of the client's own, when the token ends, and its kind."""
    with tenancy.use(client.organization_id):
        if access_tokens.looks_like_one(token):
            return _of_access(client, token)
        return _of_refresh(client, token) if is_well_formed(token, tokens.PREFIX) else None


def _of_access(client: KnownClient, token: str) -> tuple[TokenFamily, int, str] | None:
    try:
        claims = access_tokens.read(token)
    except TokenNotValid:
        return None
    family = _open_family(client, claims.family_id)
    if family is None or family.principal_id != claims.principal_id:
        return None
    return family, claims.expires_at, "Bearer"


def _of_refresh(client: KnownClient, token: str) -> tuple[TokenFamily, int, str] | None:
    row = RefreshToken.objects.filter(
        organization_id=client.organization_id, hash=hash_secret(token), used_at=None
    ).first()
    family = _open_family(client, row.family_id) if row is not None else None
    return (
        None if row is None or family is None else (family, int(row.expires_at.timestamp()), "refresh_token")
    )


def _open_family(client: KnownClient, family_id: UUID) -> TokenFamily | None:
    return TokenFamily.objects.filter(
        organization_id=client.organization_id,
        client_id=client.id,
        pk=family_id,
        ended_at=None,
        expires_at__gt=timezone.now(),
    ).first()

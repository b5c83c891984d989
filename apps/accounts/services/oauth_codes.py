"""Authorization codes: made when a person agrees, exchanged once by the client that asked, bound to its PKCE secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import MemberNotFound, OAuthRefusal
from apps.accounts.models import OAuthCode
from apps.accounts.selectors.principals import hash_secret, principal_of_member
from apps.accounts.services import tokens
from apps.accounts.services.oauth_consents import require_standing
from apps.accounts.services.oauth_requests import is_refreshable
from apps.accounts.services.secrets import checked_secret, is_well_formed
from apps.accounts.types import AuthorizationRequest, IssuedTokens, KnownClient, Principal, Proof
from apps.core import tenancy
from apps.core.services import audit

PREFIX = "co_"
LIFE = timedelta(seconds=60)
_KEPT = timedelta(days=1)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True)
class Exchanged:
    """What a code was exchanged for, and what an ID token says beside."""

    issued: IssuedTokens
    principal: Principal
    proof: Proof
    nonce: str


def issue_code(*, principal: Principal, request: AuthorizationRequest, proof: Proof) -> str:
    """Return a code for a request the person agreed to; it works once, for a minute."""
    secret = checked_secret(PREFIX)
    with tenancy.use(principal.organization_id):
        OAuthCode.objects.create(
            organization_id=principal.organization_id,
            client_id=request.client.id,
            principal_id=principal.id,
            hash=hash_secret(secret),
            redirect_uri=request.redirect_uri,
            scopes=list(request.scopes),
            challenge=request.challenge,
            nonce=request.nonce,
            signed_in_at=datetime.fromtimestamp(proof.signed_in_at, UTC),
            methods=list(proof.methods),
            expires_at=timezone.now() + LIFE,
        )
    return secret


def exchange_code(
    *, client: KnownClient, code: str, redirect_uri: str, verifier: str, address: str = ""
) -> Exchanged:
    """Exchange a code for tokens.

    A second use ends the tokens of the first; a wrong verifier or address uses the code up: somebody else has it.

    Raises:
        OAuthRefusal: `invalid_grant`, the same for all that is not right.
    """
    refusal = OAuthRefusal(
        "invalid_grant", "The code is unknown, used, over, or not for this client and verifier."
    )
    if not is_well_formed(code, PREFIX):
        raise refusal
    with tenancy.use(client.organization_id), transaction.atomic():
        row = _locked(client, code)
        if row is not None and row.used_at is None and row.expires_at > timezone.now():
            row.used_at = timezone.now()
            exchanged = _open(client, row, address) if _is_for(row, redirect_uri, verifier) else None
            row.family_id = exchanged.issued.family if exchanged else None
            row.save(update_fields=["used_at", "family_id"])
        else:
            exchanged = None
            if row is not None and row.used_at is not None:
                _end_what_it_made(row)
    if exchanged is None:
        raise refusal
    return exchanged


def forget_old(*, organization_id: UUID) -> None:
    """Forget codes that were over a day ago."""
    OAuthCode.objects.filter(organization_id=organization_id, expires_at__lt=timezone.now() - _KEPT).delete()


def _locked(client: KnownClient, code: str) -> OAuthCode | None:
    """Lock the client's own code: of two uses at once, one comes second. Another client's is not touched."""
    rows = OAuthCode.objects.select_for_update(no_key=True)
    return rows.filter(
        organization_id=client.organization_id, client_id=client.id, hash=hash_secret(code)
    ).first()


def _is_for(row: OAuthCode, redirect_uri: str, verifier: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(shown, row.challenge) and redirect_uri == row.redirect_uri


def _open(client: KnownClient, row: OAuthCode, address: str) -> Exchanged | None:
    try:
        principal = principal_of_member(organization_id=row.organization_id, user_id=row.principal_id)
        require_standing(
            organization_id=row.organization_id,
            client_id=client.id,
            principal_id=row.principal_id,
            scopes=row.scopes,
        )
    except (MemberNotFound, OAuthRefusal):
        return None  # left the organization, or took the consent back, within this minute
    issued = tokens.open_for_client(
        principal=principal,
        client_id=client.id,
        name=client.name,
        scopes=row.scopes,
        is_refreshable=is_refreshable(row.scopes, client),
        address=address,
    )
    return Exchanged(
        issued, principal, Proof(int(row.signed_in_at.timestamp()), tuple(row.methods)), row.nonce
    )


def _end_what_it_made(row: OAuthCode) -> None:
    """Somebody copied the code: nobody can tell who came first, so what came of it ends."""
    audit.record(
        organization_id=row.organization_id,
        action=actions.CODE_REUSED,
        actor_id=None,
        object_type="oauth_client",
        object_id=row.client_id,
        details={"owner": row.principal_id},
    )
    if row.family_id is not None:
        tokens.end_families(
            organization_id=row.organization_id,
            client_id=row.client_id,
            family_id=row.family_id,
            reason="code_reused",
            actor_id=None,
        )

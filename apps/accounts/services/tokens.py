"""Families of tokens: signed in once, refreshed again and again, ended as one.

A refresh token is used once. One that comes a second time was copied: nobody can tell by whom, so the whole family
ends, with its sockets and streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import TokenNotFound, TokenNotValid, TokenReused
from apps.accounts.models import RefreshToken, TokenFamily
from apps.accounts.selectors.principals import find_family_of, hash_secret, principal_for_family
from apps.accounts.services import access_tokens
from apps.accounts.services.api_keys import clean_key_scopes
from apps.accounts.services.names import clean_name
from apps.accounts.services.revocation import revoke_access
from apps.accounts.services.secrets import checked_secret, is_well_formed
from apps.accounts.types import IssuedTokens, Principal
from apps.core import tenancy
from apps.core.errors import NotSignedIn
from apps.core.services import audit

PREFIX = "cr_"
REFRESH_LIFE, LONGEST_LIFE = timedelta(days=14), timedelta(days=30)
_WITHOUT_REFRESH = timedelta(seconds=access_tokens.ACCESS_SECONDS)
_SHORT_KEPT = timedelta(days=1)
_KEPT_AFTER_END = timedelta(days=30)  # ended families stay that long in case somebody asks why


def open_family(
    *,
    principal: Principal,
    name: str,
    scopes: Iterable[str] | None = None,
    address: str = "",
    factor_id: int | None = None,
) -> IssuedTokens:
    """Sign a client in; the caller has checked who it is.

    Args:
        scopes: what the client may do of what its owner may; None is all.
        factor_id: the second factor the sign-in was proved with.

    Raises:
        NameNotValid, UnknownKeyScope, KeyScopesMissing, KeyScopeAboveOwn.
    """
    granted = None if scopes is None else list(clean_key_scopes(principal, scopes))
    now = timezone.now()
    return _open(
        TokenFamily(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            name=clean_name(name),
            scopes=granted,
            expires_at=now + REFRESH_LIFE,
            ends_at=now + LONGEST_LIFE,
            last_used_at=now,
            address=address or None,
            factor=factor_id,
        ),
        is_refreshable=True,
    )


def open_for_client(
    *,
    principal: Principal,
    client_id: UUID,
    name: str,
    scopes: Sequence[str],
    is_refreshable: bool,
    address: str = "",
) -> IssuedTokens:
    """Let a registered client in that was allowed these scopes; the caller has checked that it was.

    Args:
        is_refreshable: otherwise there is no refresh token, and everything ends with the access token.
    """
    now = timezone.now()
    return _open(
        TokenFamily(
            organization_id=principal.organization_id,
            principal_id=principal.id,
            client_id=client_id,
            name=name,
            scopes=list(scopes),
            expires_at=now + (REFRESH_LIFE if is_refreshable else _WITHOUT_REFRESH),
            ends_at=now + (LONGEST_LIFE if is_refreshable else _WITHOUT_REFRESH),
            last_used_at=now,
            address=address or None,
        ),
        is_refreshable=is_refreshable,
    )


def refresh(*, secret: str, address: str = "", client_id: UUID | None = None) -> IssuedTokens:
    """Exchange a refresh token for new tokens; it never works again.

    Args:
        client_id: the registered client that shows it; what belongs to another, or to none, is not valid.

    Raises:
        TokenNotValid: unknown or over, or its family has ended, or its owner is no longer active.
        TokenReused: it was used before; its whole family has ended now.
        SecondFactorRequired: the organization asks for one by now; the token is not used up.
    """
    found = find_family_of(secret) if is_well_formed(secret, PREFIX) else None
    if found is None:
        raise TokenNotValid
    organization_id, family_id = found
    with tenancy.use(organization_id), transaction.atomic():
        family = _locked(organization_id, family_id)
        token = RefreshToken.objects.get(organization_id=organization_id, hash=hash_secret(secret))
        if family is None or family.client_id != client_id or token.expires_at <= timezone.now():
            raise TokenNotValid
        if token.used_at is None:
            return _exchange(family, token, address)
        _end(family, reason="token_reused", action=actions.TOKEN_REUSED)
    raise TokenReused


def revoke_by_secret(*, secret: str) -> None:
    """End the family of a refresh token; an unknown one changes nothing and says nothing (RFC 7009)."""
    found = find_family_of(secret) if is_well_formed(secret, PREFIX) else None
    if found is None:
        return
    organization_id, family_id = found
    with tenancy.use(organization_id), transaction.atomic():
        family = _locked(organization_id, family_id)
        if family is not None:
            _end(family, reason="token_revoked", actor_id=family.principal_id)


def end_families(
    *,
    organization_id: UUID,
    client_id: UUID,
    reason: str,
    actor_id: UUID | None,
    principal_id: UUID | None = None,
    family_id: UUID | None = None,
    action: str = actions.TOKEN_REVOKED,
) -> int:
    """End the open families of a registered client and return how many; needs a transaction.

    Args:
        principal_id, family_id: only those of this person, only this one.
    """
    rows = TokenFamily.objects.select_for_update(no_key=True).filter(
        organization_id=organization_id, client_id=client_id, ended_at=None, expires_at__gt=timezone.now()
    )
    if principal_id is not None:
        rows = rows.filter(principal_id=principal_id)
    if family_id is not None:
        rows = rows.filter(pk=family_id)
    found = list(rows.order_by("pk"))
    for family in found:
        _end(family, reason=reason, action=action, actor_id=actor_id)
    return len(found)


def end_family(*, principal: Principal, family_id: UUID, everyones: bool = False) -> None:
    """End one of the principal's families, or anyone's for who may manage keys; the caller has checked that.

    Raises:
        TokenNotFound: unknown, ended, or somebody else's.
    """
    with transaction.atomic():
        family = _locked(principal.organization_id, family_id)
        if family is None or not (everyones or family.principal_id == principal.id):
            raise TokenNotFound
        _end(family, reason="token_revoked", actor_id=principal.id)


def forget_old(*, organization_id: UUID) -> None:
    """Forget families that ended long ago, with their refresh tokens."""
    now = timezone.now()
    rows = TokenFamily.objects.filter(organization_id=organization_id)
    rows.filter(ends_at__lt=now - _KEPT_AFTER_END).delete()
    brief = rows.filter(client__isnull=False, ends_at__lte=F("created_at") + _SHORT_KEPT)
    brief.filter(ends_at__lt=now - _SHORT_KEPT).delete()  # a program that acts for itself leaves many


def _open(family: TokenFamily, *, is_refreshable: bool) -> IssuedTokens:
    with tenancy.use(family.organization_id), transaction.atomic():
        family.save(force_insert=True)
        client = {} if family.client_id is None else {"client": family.client_id}
        audit.record(
            organization_id=family.organization_id,
            action=actions.TOKEN_OPENED,
            actor_id=family.principal_id,
            object_type="token",
            object_id=family.pk,
            details={"scopes": family.scopes, "factor": family.factor is not None, **client},
        )
        return _issue(family, is_refreshable=is_refreshable)


def _exchange(family: TokenFamily, token: RefreshToken, address: str) -> IssuedTokens:
    try:
        principal_for_family(family.pk, owner_id=family.principal_id)
    except NotSignedIn as error:
        raise TokenNotValid from error
    now = timezone.now()
    token.used_at = now
    token.save(update_fields=["used_at"])
    family.last_used_at, family.address = now, address or family.address
    family.expires_at = min(now + REFRESH_LIFE, family.ends_at)
    family.save(update_fields=["last_used_at", "address", "expires_at"])
    return _issue(family)


def _issue(family: TokenFamily, *, is_refreshable: bool = True) -> IssuedTokens:
    secret = _refresh_token(family) if is_refreshable else ""
    access, ends = access_tokens.sign(
        principal_id=family.principal_id, family_id=family.pk, granted=_granted(family)
    )
    return IssuedTokens(
        family=family.pk,
        access_token=access,
        access_expires_at=datetime.fromtimestamp(ends, UTC),
        refresh_token=secret,
        refresh_expires_at=family.expires_at,
        scopes=None if family.scopes is None else tuple(family.scopes),
    )


def _refresh_token(family: TokenFamily) -> str:
    secret = checked_secret(PREFIX)
    RefreshToken.objects.create(
        organization_id=family.organization_id,
        family=family,
        hash=hash_secret(secret),
        expires_at=family.expires_at,
    )
    return secret


def _granted(family: TokenFamily) -> access_tokens.Granted | None:
    if family.client_id is None:
        return None
    return access_tokens.Granted(family.client_id, family.organization_id, tuple(family.scopes or ()))


def _locked(organization_id: UUID, family_id: UUID) -> TokenFamily | None:
    """Lock an open family: of two uses of one token at once, one comes second."""
    rows = TokenFamily.objects.select_for_update(no_key=True)
    return rows.filter(
        organization_id=organization_id, pk=family_id, ended_at=None, expires_at__gt=timezone.now()
    ).first()


def _end(
    family: TokenFamily, *, reason: str, action: str = actions.TOKEN_REVOKED, actor_id: UUID | None = None
) -> None:
    family.ended_at, family.end_reason = timezone.now(), reason
    family.save(update_fields=["ended_at", "end_reason"])
    audit.record(
        organization_id=family.organization_id,
        action=action,
        actor_id=actor_id,
        object_type="token",
        object_id=family.pk,
        details={"owner": family.principal_id},
    )
    revoke_access(
        organization_id=family.organization_id,
        principal_id=family.principal_id,
        session=str(family.pk),
        reason=reason,
    )

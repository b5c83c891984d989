"""Registered clients of an organization: made, changed, switched off, and known again by their secret."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import (
    ClientNotFound,
    GrantsNotValid,
    KeyLifeTooLong,
    KeyScopeAboveOwn,
    KeyScopesMissing,
    NotConfidential,
    OAuthRefusal,
    RedirectNotValid,
    UnknownKeyScope,
)
from apps.accounts.models import OAuthClient
from apps.accounts.selectors.oauth import find_client, known
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.services import tokens, trail
from apps.accounts.services.access import require
from apps.accounts.services.names import clean_name
from apps.accounts.services.secrets import checked_secret, is_well_formed
from apps.accounts.services.service_accounts import create_service_account
from apps.accounts.types import (
    CLIENT_GRANT,
    CODE_GRANT,
    DEVICE_GRANT,
    IDENTITY_SCOPES,
    KEY_SCOPES,
    OAUTH_GRANTS,
    OAUTH_SCOPES,
    OFFLINE,
    REFRESH_GRANT,
    IssuedClient,
    KnownClient,
    Principal,
)
from apps.core import tenancy
from apps.core.services import audit

MANAGE = "api_key.manage"
PREFIX = "cs_"
LONGEST_OVERLAP = timedelta(days=7)
MOST_REDIRECTS, LONGEST_REDIRECT = 10, 500
_SHOWN = 11
_TOUCH = timedelta(minutes=1)
_LOOPBACK = ("127.0.0.1", "::1")
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")  # RFC 8252 7.1: the reverse of a name one owns
_REDIRECT = re.compile(r"[!-~]+")  # what RFC 3986 allows is printable and without spaces
_REFUSED_IN_REDIRECT = frozenset("\\\"'<>`{}|^*#@")


@dataclass(frozen=True, kw_only=True)
class ClientValues:
    """What an administrator says of a client.

    Attributes:
        service_role: of the service account that is made for it, when it acts without a person.
    """

    name: str
    is_confidential: bool
    redirect_uris: Sequence[str] = ()
    grants: Sequence[str] = (CODE_GRANT, REFRESH_GRANT)
    scopes: Sequence[str] = field(default=("openid", "profile"))
    id_token_algorithm: str = OAuthClient.Algorithm.RS256
    service_role: str = "guest"


def create_client(*, principal: Principal, values: ClientValues) -> IssuedClient:
    """Register a client and return it with its secret, this one time.

    Raises:
        PermissionMissing, NameNotValid, RedirectNotValid, GrantsNotValid.
        UnknownKeyScope, KeyScopesMissing, KeyScopeAboveOwn.
        RoleNotFound, RoleAboveOwn: of its service account.
    """
    require(principal, MANAGE)
    client = OAuthClient(organization_id=principal.organization_id, **_checked(principal, values))
    with transaction.atomic():
        if CLIENT_GRANT in client.grants:
            client.service_id = create_service_account(
                principal=principal, name=client.name, role=values.service_role
            )
        secret = _renew_secret(client) if values.is_confidential else ""
        client.save(force_insert=True)
        _note(principal, actions.CLIENT_CREATED, client, scopes=client.scopes, grants=client.grants)
    return IssuedClient(client.pk, client.name, secret)


def update_client(*, principal: Principal, client_id: UUID, values: ClientValues) -> None:
    """Change a client; kind and service account stay. What it has already keeps its rights until it ends.

    Raises:
        ClientNotFound, and what `create_client` raises.
    """
    require(principal, MANAGE)
    with transaction.atomic():
        client = _locked(principal, client_id)
        checked = _checked(principal, values)
        is_same_kind = checked.pop("kind") == client.kind
        if not is_same_kind or (CLIENT_GRANT in values.grants) != (client.service_id is not None):
            raise GrantsNotValid
        for name, value in checked.items():
            setattr(client, name, value)
        client.save(update_fields=list(checked))
        _note(principal, actions.CLIENT_CHANGED, client, scopes=client.scopes, grants=client.grants)


def rotate_secret(
    *, principal: Principal, client_id: UUID, overlap: timedelta = timedelta(days=1)
) -> IssuedClient:
    """Give a confidential client a new secret; the old one works until the overlap is over.

    Args:
        overlap: 0 to 7 days.

    Raises:
        PermissionMissing, ClientNotFound, NotConfidential, KeyLifeTooLong: the overlap.
    """
    require(principal, MANAGE)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise KeyLifeTooLong(days=LONGEST_OVERLAP.days)
    with transaction.atomic():
        client = _locked(principal, client_id)
        if client.kind != OAuthClient.Kind.CONFIDENTIAL:
            raise NotConfidential
        client.previous_hash = client.secret_hash if overlap else None
        client.previous_until = timezone.now() + overlap if overlap else None
        secret = _renew_secret(client)
        client.save(update_fields=["secret_prefix", "secret_hash", "previous_hash", "previous_until"])
        _note(principal, actions.CLIENT_ROTATED, client)
    return IssuedClient(client.pk, client.name, secret)


def disable_client(*, principal: Principal, client_id: UUID) -> None:
    """Switch a client off: its tokens, sockets and streams end now. Repeating it changes nothing.

    Raises:
        PermissionMissing, ClientNotFound.
    """
    require(principal, MANAGE)
    with transaction.atomic():
        _disable(_locked(principal, client_id), actor_id=principal.id)


def disable_as_operator(*, client_id: UUID, operator_id: UUID) -> None:
    """Switch a client off from the operator's admin; the caller opened the client's organization.

    Raises:
        ClientNotFound.
    """
    with transaction.atomic():
        client = OAuthClient.objects.select_for_update(no_key=True).filter(pk=client_id).first()
        if client is None:
            raise ClientNotFound
        _disable(client, actor_id=operator_id)


def enable_client(*, principal: Principal, client_id: UUID) -> None:
    """Let a client in again; people sign in with it anew. Repeating it changes nothing.

    Raises:
        PermissionMissing, ClientNotFound.
    """
    require(principal, MANAGE)
    with transaction.atomic():
        client = _locked(principal, client_id)
        if client.disabled_at is not None:
            client.disabled_at = None
            client.save(update_fields=["disabled_at"])
            _note(principal, actions.CLIENT_ENABLED, client)


def authenticate_client(*, authorization: str, client_id: str, secret: str) -> KnownClient:
    """Return the client that sent a request, by HTTP Basic or by values of its form (RFC 6749 2.3.1).

    Raises:
        OAuthRefusal: `invalid_client` for all that is not exactly one right way; `invalid_request` for two ways.
    """
    if authorization:
        if secret:
            raise OAuthRefusal("invalid_request", "The client showed its secret in two places.")
        named, secret = _by_basic(authorization)
        if client_id not in ("", named):
            raise OAuthRefusal("invalid_request", "The client named itself twice and differently.")
        client_id = named
    client = find_client(client_id)
    if client is None or not _is_proven(client, secret):
        if client is not None:
            _note_refused(client)
        raise OAuthRefusal("invalid_client", "The client is unknown, or this is not its secret.", status=401)
    _touch(client)
    return known(client)


def matching_redirect(registered: Iterable[str], asked: str) -> str | None:
    """Return the address asked for if it is registered, letter by letter.

    One exception: a loopback address that was registered without a port is taken with any (RFC 8252 7.3).
    """
    for address in registered:
        if hmac.compare_digest(address.encode(), asked.encode("utf-8", "surrogatepass")):
            return asked
        host = next((host for host in _LOOPBACK_STARTS if address.startswith(f"{host}/")), None)
        if host is None or not asked.startswith(f"{host}:"):
            continue
        port, slash, rest = asked.removeprefix(f"{host}:").partition("/")
        if re.fullmatch(r"[1-9][0-9]{0,4}", port) and f"{host}{slash}{rest}" == address:
            return asked
    return None


_LOOPBACK_STARTS = ("http://127.0.0.1", "http://[::1]")


def _checked(principal: Principal, values: ClientValues) -> dict[str, object]:
    if values.id_token_algorithm not in OAuthClient.Algorithm.values:
        raise GrantsNotValid
    redirects = list(dict.fromkeys(_clean_redirect(address) for address in values.redirect_uris))
    if len(redirects) > MOST_REDIRECTS:
        raise RedirectNotValid(value=redirects[MOST_REDIRECTS][:50])
    return {
        "name": clean_name(values.name),
        "kind": OAuthClient.Kind.CONFIDENTIAL if values.is_confidential else OAuthClient.Kind.PUBLIC,
        "redirect_uris": redirects,
        "grants": _clean_grants(values, has_redirects=bool(redirects)),
        "scopes": _clean_scopes(principal, values.scopes),
        "id_token_algorithm": values.id_token_algorithm,
    }


def _clean_redirect(address: str) -> str:
    """Return an address people may be sent to.

    Raises:
        RedirectNotValid: no absolute address, with a fragment or an account in it, or of a scheme that is not safe.
    """
    refusal = RedirectNotValid(value=address[:50])
    if (
        not _REDIRECT.fullmatch(address)
        or len(address) > LONGEST_REDIRECT
        or _REFUSED_IN_REDIRECT & set(address)
    ):
        raise refusal
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise refusal from error
    if port == 0 or not address.startswith(f"{parts.scheme}:"):
        raise refusal
    is_web = parts.scheme == "https" and bool(parts.hostname)
    is_loopback = parts.scheme == "http" and parts.hostname in (*_LOOPBACK, "localhost")
    if not (is_web or is_loopback or (_OWN_SCHEME.fullmatch(parts.scheme) and (parts.path or parts.netloc))):
        raise refusal
    return address


def _clean_grants(values: ClientValues, *, has_redirects: bool) -> list[str]:
    grants = list(dict.fromkeys(values.grants))
    by_person = {CODE_GRANT, DEVICE_GRANT} & set(grants)
    is_fitting = (
        bool(grants)
        and set(grants) <= set(OAUTH_GRANTS)
        and (CODE_GRANT in grants) == has_redirects
        and (values.is_confidential or CLIENT_GRANT not in grants)
        and (REFRESH_GRANT not in grants or bool(by_person))
        and bool(by_person or CLIENT_GRANT in grants)
    )
    if not is_fitting:
        raise GrantsNotValid
    return grants


def _clean_scopes(principal: Principal, scopes: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(scopes))
    if not wanted:
        raise KeyScopesMissing
    for scope in wanted:
        if scope not in OAUTH_SCOPES:
            raise UnknownKeyScope(name=scope)
    of_keys = set(wanted) - {*IDENTITY_SCOPES, OFFLINE}
    if principal.key_scopes is not None and not of_keys <= principal.key_scopes & set(KEY_SCOPES):
        raise KeyScopeAboveOwn
    return wanted


def _renew_secret(client: OAuthClient) -> str:
    secret = checked_secret(PREFIX)
    client.secret_prefix, client.secret_hash = secret[:_SHOWN], hash_secret(secret)
    return secret


def _disable(client: OAuthClient, *, actor_id: UUID) -> None:
    if client.disabled_at is not None:
        return
    client.disabled_at = timezone.now()
    client.save(update_fields=["disabled_at"])
    audit.record(
        organization_id=client.organization_id,
        action=actions.CLIENT_DISABLED,
        actor_id=actor_id,
        object_type="oauth_client",
        object_id=client.pk,
    )
    tokens.end_families(
        organization_id=client.organization_id,
        client_id=client.pk,
        reason="client_disabled",
        actor_id=actor_id,
    )


def _locked(principal: Principal, client_id: UUID) -> OAuthClient:
    rows = OAuthClient.objects.select_for_update(no_key=True)
    client = rows.filter(organization_id=principal.organization_id, pk=client_id).first()
    if client is None:
        raise ClientNotFound
    return client


def _by_basic(authorization: str) -> tuple[str, str]:
    refusal = OAuthRefusal("invalid_client", "The header Authorization is not HTTP Basic.", status=401)
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refusal
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise refusal from error
    named, colon, secret = text.partition(":")
    if not colon:
        raise refusal
    return unquote_plus(named), unquote_plus(secret)


def _is_proven(client: OAuthClient, secret: str) -> bool:
    """Return whether the secret is the client's, or one that was replaced a short while ago; a public one has none."""
    if client.kind == OAuthClient.Kind.PUBLIC:
        return not secret
    if not is_well_formed(secret, PREFIX):
        return False
    shown, accepted = hash_secret(secret), [client.secret_hash]
    if client.previous_until is not None and client.previous_until > timezone.now():
        accepted.append(client.previous_hash)
    return any(hmac.compare_digest(shown, bytes(known_hash)) for known_hash in accepted if known_hash)


def _touch(client: OAuthClient) -> None:
    """Remember that a client was here; one write a minute at most."""
    now = timezone.now()
    if client.last_used_at is None or client.last_used_at < now - _TOUCH:
        with tenancy.use(client.organization_id):
            OAuthClient.objects.filter(organization_id=client.organization_id, pk=client.pk).update(
                last_used_at=now
            )


def _note(principal: Principal, action: str, client: OAuthClient, **details: Any) -> None:
    trail.note(principal, action, "oauth_client", client.pk, **details)


def _note_refused(client: OAuthClient) -> None:
    with tenancy.use(client.organization_id):
        audit.record_refusal(
            organization_id=client.organization_id,
            action=actions.CLIENT_REFUSED,
            actor_id=None,
            object_type="oauth_client",
            object_id=client.pk,
            reason="wrong_secret",
        )

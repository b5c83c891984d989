"""Registered clients, consents and waiting devices, in lists and by what finds them; secrets are nowhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection

from apps.accounts.errors import ClientNotFound
from apps.accounts.models import Member, OAuthClient, OAuthConsent
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.types import ClientView, ConsentView, KnownClient, Principal
from apps.core import tenancy


def list_clients(principal: Principal) -> list[ClientView]:
    """Return the organization's clients by name; the caller has checked `api_key.manage`. One query."""
    rows = OAuthClient.objects.filter(organization_id=principal.organization_id)
    return [client_view(row) for row in rows.order_by("name", "pk")]


def get_client(principal: Principal, client_id: UUID) -> ClientView:
    """Return one client; the caller has checked `api_key.manage`. One query.

    Raises:
        ClientNotFound.
    """
    row = OAuthClient.objects.filter(organization_id=principal.organization_id, pk=client_id).first()
    if row is None:
        raise ClientNotFound
    return client_view(row)


def list_consents(principal: Principal) -> list[ConsentView]:
    """Return what the acting person allowed clients of this organization, latest first. One query."""
    rows = OAuthConsent.objects.filter(
        organization_id=principal.organization_id, principal_id=principal.id
    ).select_related("client")
    return [
        ConsentView(row.pk, row.client_id, row.client.name, tuple(row.scopes), row.given_at)
        for row in rows.order_by("-given_at", "-pk")
    ]


def find_client(client_id: str) -> OAuthClient | None:
    """Return a client that is switched on in an active organization, from its id as it was sent. One query."""
    try:
        wanted = UUID(client_id)
    except ValueError:
        return None
    if str(wanted) != client_id:
        return None  # another spelling of the id is another id
    with tenancy.found_by("SELECT accounts_find_client(%s)", wanted):
        return (
            OAuthClient.objects.filter(pk=wanted, disabled_at=None, organization__is_active=True)
            .select_related("organization")
            .first()
        )


def find_known(client_id: str) -> KnownClient | None:
    """Return `find_client` as a plain value. One query."""
    row = find_client(client_id)
    return None if row is None else known(row)


def find_organization_of_device(user_code: str) -> UUID | None:
    """Return the organization in which a device waits with this code, or None. One query, before the wall."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_find_device(%s)", [hash_secret(user_code)])
        found: UUID | None = cursor.fetchone()[0]
    return found


def claims_of(principal: Principal) -> dict[str, Any]:
    """Return what the scopes of a token say of its owner (OpenID Connect Core 5.1). Two queries."""
    scopes = principal.key_scopes or frozenset()
    claims: dict[str, Any] = {"sub": str(principal.id)}
    if "profile" in scopes:
        member = Member.objects.get(organization_id=principal.organization_id, pk=principal.member_id)
        claims |= {
            "name": principal.name,
            "organization": str(principal.organization_id),
            "organization_name": principal.organization_name,
            "updated_at": int(member.created_at.timestamp()),
        }
        if principal.language:
            claims["locale"] = principal.language
    if "email" in scopes:
        address = EmailAddress.objects.filter(user_id=principal.id, primary=True).first()
        if address is not None:
            claims |= {"email": address.email, "email_verified": address.verified}
    return claims


def known(row: OAuthClient) -> KnownClient:
    """Return a stored client as a plain value."""
    return KnownClient(
        id=row.pk,
        organization_id=row.organization_id,
        organization_name=row.organization.name,
        name=row.name,
        is_confidential=row.kind == OAuthClient.Kind.CONFIDENTIAL,
        redirect_uris=tuple(row.redirect_uris),
        grants=tuple(row.grants),
        scopes=tuple(row.scopes),
        id_token_algorithm=row.id_token_algorithm,
        service_id=row.service_id,
    )


def client_view(row: OAuthClient) -> ClientView:
    """Return a stored client as lists show it."""
    return ClientView(
        id=row.pk,
        name=row.name,
        is_confidential=row.kind == OAuthClient.Kind.CONFIDENTIAL,
        redirect_uris=tuple(row.redirect_uris),
        grants=tuple(row.grants),
        scopes=tuple(row.scopes),
        id_token_algorithm=row.id_token_algorithm,
        service_id=row.service_id,
        secret_prefix=row.secret_prefix,
        previous_until=row.previous_until,
        disabled_at=row.disabled_at,
        last_used_at=row.last_used_at,
        created_at=row.created_at,
    )

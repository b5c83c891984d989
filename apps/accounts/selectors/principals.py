"""Who acts: from a session, from a key, or an agent for a person.

The first two find the organization, so they run before one is known: its id comes from the open table of organizations
or from a definer function that answers ids only, and the seat is read inside its wall, in the same message. Everything
after them runs inside `tenancy.use(principal.organization_id)`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.accounts.errors import AddressNotAllowed, MemberNotFound, OrganizationNotFound, SecondFactorRequired
from apps.accounts.types import (
    BOUND_PERMISSIONS,
    BY_KEY,
    BY_SEAT_ONLY,
    BY_TOKEN,
    KEY_SCOPES,
    PRIVILEGED,
    OrganizationView,
    Principal,
)
from apps.core import tenancy
from apps.core.errors import NotSignedIn
from apps.core.http.addresses import normal

_FROM = """
FROM accounts_member m
JOIN accounts_user u ON u.id = m.user_id
JOIN accounts_organization o ON o.id = m.organization_id
JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
{join}
WHERE m.deactivated_at IS NULL AND u.is_active AND o.is_active
  AND (u.break_glass_until IS NULL OR u.break_glass_until > now()) AND {where}
"""
_MINE = """
SELECT o.id, o.slug, o.name, o.language
FROM accounts_seats_of(%s) mine JOIN accounts_organization o ON o.id = mine.organization_id
WHERE mine.is_open AND o.is_active AND EXISTS (SELECT FROM accounts_user u WHERE u.id = %s AND u.is_active)
ORDER BY lower(o.name), o.id
"""
_COLUMNS = (
    "u.id, u.kind, o.id, o.slug, o.name, m.id, m.name, m.avatar_file_id, r.key, r.permissions, u.language, "
    "u.is_staff"
)
# What the second factor is decided by: the policy, when it begins for this member, and whether there is a proof.
_POLICY = (
    "CASE WHEN u.kind = 'person' AND u.break_glass_until IS NULL THEN o.factor_policy ELSE 'exempt' END, "
    "GREATEST(o.factor_policy_since, m.created_at) + o.factor_grace_days * interval '1 day', "
    "EXISTS (SELECT 1 FROM accounts_secondfactor f WHERE f.user_id = u.id AND f.confirmed{which})"
)
_FIELDS = (
    "id", "kind", "organization_id", "organization_slug", "organization_name", "member_id", "name",
    "avatar_file_id", "role", "permissions", "language", "is_staff",
)  # fmt: skip


def principal_for_session(
    *,
    user_id: UUID,
    organization_id: UUID | None = None,
    slug: str | None = None,
    session: str,
    factor_id: int | None = None,
) -> Principal:
    """Return the signed-in user as a member of the organization. One query.

    Args:
        organization_id, slug: one of them names the organization.
        session: what a revocation names, see `session_id`.
        factor_id: the second factor this session was proved with.

    Raises:
        OrganizationNotFound: missing, switched off, or the user has no open seat in it.
        SecondFactorRequired: the organization asks for a second factor and the session has none.
    """
    if slug is not None and "\x00" in slug:
        raise OrganizationNotFound
    columns = f"{_COLUMNS}, {_POLICY.format(which=' AND f.id = %s')}"
    if organization_id is None:
        with tenancy.found_by("SELECT id FROM accounts_organization WHERE slug = %s", slug):
            row = _one(columns, where="m.user_id = %s AND o.slug = %s", params=[factor_id, user_id, slug])
    else:
        with tenancy.use(organization_id):
            row = _one(
                columns, where="m.user_id = %s AND o.id = %s", params=[factor_id, user_id, organization_id]
            )
    if row is None:
        raise OrganizationNotFound
    return _required(_principal(row[:-3], session=session), *row[-3:])


def principal_for_key(secret: str, *, address: str = "") -> Principal:
    """Return the owner of an API key, narrowed to the key's scopes and limits. One query.

    Args:
        address: where the caller is; empty is nowhere, which a key bound to networks does not take.

    Raises:
        NotSignedIn: unknown, revoked, suspended or expired, or its owner is no longer active.
        AddressNotAllowed: bound to other networks.
        SecondFactorRequired: the organization asks for one and the owner has none.
    """
    digest = hash_secret(secret)
    with tenancy.found_by("SELECT organization_id FROM accounts_find_key(%s)", digest):
        return _by_key("k.hash = %s", digest, address=address)


def principal_for_key_id(key_id: UUID, *, organization_id: UUID, address: str = "") -> Principal:
    """Return the owner of a key that was shown before, for sockets that look again. One query.

    Raises:
        NotSignedIn: revoked, suspended or expired meanwhile, or its owner is no longer active.
        AddressNotAllowed, SecondFactorRequired.
    """
    with tenancy.use(organization_id):
        return _by_key("k.id = %s", key_id, address=address)


def _by_key(condition: str, value: bytes | UUID, *, address: str) -> Principal:
    row = _one(
        f"{_COLUMNS}, {_POLICY.format(which='')}, k.id, k.scopes, k.conversations, k.scope_ids, k.networks",
        join="JOIN accounts_apikey k ON k.principal_id = m.user_id AND k.organization_id = m.organization_id",
        where=f"{condition} AND k.revoked_at IS NULL AND k.suspended_at IS NULL AND k.expires_at > now()",
        params=[value],
    )
    if row is None:
        raise NotSignedIn
    *columns, policy, due_at, has_factor, key_id, scopes, conversations, scope_ids, networks = row
    if networks and not is_within(address, networks):
        raise AddressNotAllowed
    # A key acts without a browser: its person must have a factor, which is asked for where keys are made.
    owner = _required(_principal(tuple(columns), session=str(key_id)), policy, due_at, has_factor)
    principal = dataclasses.replace(_narrowed(owner, scopes), credential=BY_KEY, address=address)
    if conversations is None:
        return principal
    return dataclasses.replace(
        principal,
        permissions=principal.permissions & BOUND_PERMISSIONS,
        conversations=frozenset(conversations),
        scopes=frozenset(scope_ids or ()),
    )


def principal_for_family(family_id: UUID, *, owner_id: UUID, address: str = "") -> Principal:
    """Return the owner of an open family of tokens in the organization it is bound to. One query.

    Raises:
        NotSignedIn: ended, over or somebody else's, or its owner or the client it was opened for is no longer active.
        SecondFactorRequired: the organization asks for one; the sign-in was not proved with it, or it is gone. For a
            registered client the owner has one, as for keys: the consent was given in a session proved with it.
    """
    with tenancy.found_by("SELECT accounts_find_family(%s)", family_id):
        row = _one(
            f"{_COLUMNS}, {_POLICY.format(which=' AND (f.id = t.factor OR t.client_id IS NOT NULL)')}, t.scopes",
            join="JOIN accounts_tokenfamily t ON t.principal_id = m.user_id AND t.organization_id = m.organization_id",
            where="t.id = %s AND m.user_id = %s AND t.ended_at IS NULL AND t.expires_at > now() "
            "AND NOT EXISTS (SELECT FROM accounts_oauthclient c WHERE c.organization_id = t.organization_id "
            "AND c.id = t.client_id AND c.disabled_at IS NOT NULL)",
            params=[family_id, owner_id],
        )
    if row is None:
        raise NotSignedIn
    *columns, policy, due_at, is_proved, scopes = row
    owner = _required(_principal(tuple(columns), session=str(family_id)), policy, due_at, is_proved)
    principal = dataclasses.replace(owner, credential=BY_TOKEN, address=address)
    return principal if scopes is None else _narrowed(principal, scopes)


def find_key(secret: str) -> tuple[UUID, UUID] | None:
    """Return organization and id of a key, valid or not, or None. One query, before the wall."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, id FROM accounts_find_key(%s)", [hash_secret(secret)])
        row: tuple[UUID, UUID] | None = cursor.fetchone()
    return row


def find_family_of(secret: str) -> tuple[UUID, UUID] | None:
    """Return organization and family of a refresh token, used or not, or None. One query, before the wall."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, family_id FROM accounts_find_refresh(%s)", [hash_secret(secret)]
        )
        row: tuple[UUID, UUID] | None = cursor.fetchone()
    return row


def _narrowed(principal: Principal, scopes: list[str]) -> Principal:
    """Return the principal with no more than these key scopes."""
    granted: frozenset[str] = frozenset().union(*(KEY_SCOPES.get(scope, frozenset()) for scope in scopes))
    return dataclasses.replace(
        principal, permissions=principal.permissions & granted, key_scopes=frozenset(scopes)
    )


def is_within(address: str, networks: list[str]) -> bool:
    """Return whether an address lies in one of the networks; an unknown address lies in none."""
    found = normal(address)
    return bool(found) and any(ipaddress.ip_address(found) in ipaddress.ip_network(text) for text in networks)


def acting_for(*, agent_id: UUID, person: Principal) -> Principal:
    """Return an agent, bot or service acting for a person: the intersection of both rights. One query.

    Raises:
        MemberNotFound: no active member with this id that is not a person, in the person's organization.
    """
    with tenancy.use(person.organization_id):
        row = _one(
            _COLUMNS,
            where="m.user_id = %s AND o.id = %s AND u.kind <> 'person'",
            params=[agent_id, person.organization_id],
        )
    if row is None:
        raise MemberNotFound
    agent = _principal(row, session=person.session)
    return dataclasses.replace(
        agent,
        permissions=agent.permissions & person.permissions,
        key_scopes=person.key_scopes,
        credential=person.credential,
        conversations=person.conversations,
        scopes=person.scopes,
        on_behalf_of=person.id,
        person_is_guest=person.role in BY_SEAT_ONLY,
        is_staff=False,
    )


def principal_of_member(*, organization_id: UUID, user_id: UUID, session: str = "") -> Principal:
    """Return a member as a principal, for work without a request (agents, imports, demo data). One query.

    Raises:
        MemberNotFound.
    """
    with tenancy.use(organization_id):
        row = _one(_COLUMNS, where="m.user_id = %s AND o.id = %s", params=[user_id, organization_id])
    if row is None:
        raise MemberNotFound
    return _principal(row, session=session)


def organizations_of(user_id: UUID) -> list[OrganizationView]:
    """Return the organizations a user has an open seat in, by name. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_MINE, [user_id, user_id])
        return [OrganizationView(*row) for row in cursor.fetchall()]


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a key, invitation or link: they are random, so no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def session_id(session_key: str) -> str:
    """Return the name of a browser session in principals and revocations: 32 hex digits that open nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def seats_of(user_id: UUID) -> list[UUID]:
    """Return the organizations a user has or had a seat in, oldest seat first. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM accounts_seats_of(%s) ORDER BY member_id", [user_id])
        return [organization_id for (organization_id,) in cursor.fetchall()]


def open_seats_of(user_id: UUID) -> list[UUID]:
    """Return the organizations a user belongs to, switched off or not, in the order of their ids. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM accounts_seats_of(%s) WHERE is_open ORDER BY organization_id",
            [user_id],
        )
        return [organization_id for (organization_id,) in cursor.fetchall()]


def has_open_seat(user_id: UUID) -> bool:
    """Return whether a user still belongs to some organization, switched off or not. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_seats_of(%s) WHERE is_open)", [user_id])
        return bool(cursor.fetchone()[0])


def _one(columns: str, *, where: str, params: list[Any], join: str = "") -> tuple[Any, ...] | None:
    """Run the one statement; `columns`, `join` and `where` are constants of this module."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {_FROM.format(join=join, where=where)}", params)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _required(principal: Principal, policy: str, due_at: datetime, is_proved: bool) -> Principal:
    """Apply the stricter of the server's and the organization's policy; in the days of grace the end is noted."""
    if is_proved or policy == "exempt":
        return principal
    if _asks(settings.CONFIGURATION.security.second_factor, principal):
        raise SecondFactorRequired(slug=principal.organization_slug)
    if not _asks(policy, principal):
        return principal
    if due_at <= timezone.now():
        raise SecondFactorRequired(slug=principal.organization_slug)
    return dataclasses.replace(principal, factor_due_at=due_at)


def _asks(policy: str, principal: Principal) -> bool:
    return policy == "everybody" or (policy == "administrators" and bool(principal.permissions & PRIVILEGED))


def _principal(row: tuple[Any, ...], *, session: str) -> Principal:
    values = dict(zip(_FIELDS, row, strict=True))
    return Principal(**{**values, "permissions": frozenset(values["permissions"])}, session=session)

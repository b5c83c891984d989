"""Who acts: from a session, from a key, or an agent for a person.

The first two find the organization, so they run before one is known; everything after them runs inside
`tenancy.use(principal.organization_id)`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.accounts.errors import MemberNotFound, OrganizationNotFound, SecondFactorRequired
from apps.accounts.types import ADMINISTRATIVE, GUEST, KEY_SCOPES, OrganizationView, Principal
from apps.core.errors import NotSignedIn

_FROM = """
FROM accounts_member m
JOIN accounts_user u ON u.id = m.user_id
JOIN accounts_organization o ON o.id = m.organization_id
JOIN accounts_role r ON r.id = m.role_id
{join}
WHERE m.deactivated_at IS NULL AND u.is_active AND o.is_active
  AND (u.break_glass_until IS NULL OR u.break_glass_until > now()) AND {where}
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
    named = "o.slug = %s" if organization_id is None else "o.id = %s"
    row = _one(
        f"{_COLUMNS}, {_POLICY.format(which=' AND f.id = %s')}",
        where=f"m.user_id = %s AND {named}",
        params=[factor_id, user_id, organization_id or slug],
    )
    if row is None:
        raise OrganizationNotFound
    return _required(_principal(row[:-3], session=session), *row[-3:])


def principal_for_key(secret: str) -> Principal:
    """Return the owner of an API key, narrowed to the key's scopes. One query.

    Raises:
        NotSignedIn: unknown, revoked or expired, or its owner is no longer active.
    """
    return _by_key("k.hash = %s", hash_secret(secret))


def principal_for_key_id(key_id: UUID) -> Principal:
    """Return the owner of a key that was shown before, for sockets that look again. One query.

    Raises:
        NotSignedIn: revoked or expired meanwhile, or its owner is no longer active.
    """
    return _by_key("k.id = %s", key_id)


def _by_key(condition: str, value: bytes | UUID) -> Principal:
    row = _one(
        f"{_COLUMNS}, {_POLICY.format(which='')}, k.id, k.scopes",
        join="JOIN accounts_apikey k ON k.principal_id = m.user_id AND k.organization_id = m.organization_id",
        where=f"{condition} AND k.revoked_at IS NULL AND k.expires_at > now()",
        params=[value],
    )
    if row is None:
        raise NotSignedIn
    *columns, policy, due_at, has_factor, key_id, scopes = row
    # A key acts without a browser: its person must have a factor, which is asked for where keys are made.
    principal = _required(_principal(tuple(columns), session=str(key_id)), policy, due_at, has_factor)
    granted: frozenset[str] = frozenset().union(*(KEY_SCOPES.get(scope, frozenset()) for scope in scopes))
    return dataclasses.replace(
        principal, permissions=principal.permissions & granted, key_scopes=frozenset(scopes)
    )


def acting_for(*, agent_id: UUID, person: Principal) -> Principal:
    """Return an agent, bot or service acting for a person: the intersection of both rights. One query.

    Raises:
        MemberNotFound: no active member with this id that is not a person, in the person's organization.
    """
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
        on_behalf_of=person.id,
        person_is_guest=person.role == GUEST,
        is_staff=False,
    )


def principal_of_member(*, organization_id: UUID, user_id: UUID, session: str = "") -> Principal:
    """Return a member as a principal, for work without a request (agents, imports, demo data). One query.

    Raises:
        MemberNotFound.
    """
    row = _one(_COLUMNS, where="m.user_id = %s AND o.id = %s", params=[user_id, organization_id])
    if row is None:
        raise MemberNotFound
    return _principal(row, session=session)


def organizations_of(user_id: UUID) -> list[OrganizationView]:
    """Return the organizations a user has an open seat in, by name. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.id, o.slug, o.name, o.language {_FROM.format(join='', where='m.user_id = %s')} "
            "ORDER BY lower(o.name), o.id",
            [user_id],
        )
        return [OrganizationView(*row) for row in cursor.fetchall()]


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a key, invitation or link: they are random, so no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def session_id(session_key: str) -> str:
    """Return the name of a browser session in principals and revocations: 32 hex digits that open nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


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
    return policy == "everybody" or (
        policy == "administrators" and bool(principal.permissions & ADMINISTRATIVE)
    )


def _principal(row: tuple[Any, ...], *, session: str) -> Principal:
    values = dict(zip(_FIELDS, row, strict=True))
    return Principal(**{**values, "permissions": frozenset(values["permissions"])}, session=session)

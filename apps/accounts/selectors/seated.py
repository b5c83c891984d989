"""A seat as one statement reads it, and the principal that becomes of it by key, token or session."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.accounts import conditions
from apps.accounts.conditions import AccessContext, is_within
from apps.accounts.errors import AddressNotAllowed, SecondFactorRequired
from apps.accounts.types import (
    BOUND_PERMISSIONS,
    BY_KEY,
    BY_TOKEN,
    KEY_SCOPES,
    PRIVILEGED,
    SCOPED_PERMISSIONS,
    Principal,
    ScopedGrant,
)
from apps.core.database import planned

_FROM = """
FROM accounts_member m
JOIN accounts_user u ON u.id = m.user_id
JOIN accounts_organization o ON o.id = m.organization_id
JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
{join}
WHERE m.deactivated_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now()) AND u.is_active AND o.is_active
  AND (u.break_glass_until IS NULL OR u.break_glass_until > now()) AND {where}
"""
COLUMNS = (
    "u.id, u.kind, o.id, o.slug, o.name, m.id, m.name, m.avatar_file_id, r.key, r.permissions, u.language, "
    "u.is_staff, NOT r.is_builtin, r.conditions, ARRAY(SELECT jsonb_build_array(x.scope_id, xr.key, xr.permissions, "
    "xr.conditions) FROM accounts_scopedrole x JOIN accounts_role xr ON xr.organization_id = x.organization_id AND "
    "xr.id = x.role_id WHERE x.organization_id = m.organization_id AND (x.principal_id = m.user_id OR x.group_id IN "
    "(SELECT g.group_id FROM accounts_peoplegroupmember g WHERE g.organization_id = m.organization_id "
    "AND g.principal_id = m.user_id)) UNION ALL "
    "SELECT jsonb_build_array(g.scope_id, '', ARRAY[gp.codename], '{}'::jsonb, g.expires_at) "
    "FROM accounts_objectgrant g JOIN auth_permission gp ON gp.id = g.permission_id "
    "WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id AND g.expires_at > now()), "
    "coalesce((SELECT s.last_sequence FROM core_stream s WHERE s.id = m.id), 0)"
)
# What the second factor is decided by: the policy, when it begins for this member, and whether there is a proof.
POLICY = (
    "CASE WHEN u.kind = 'person' AND u.break_glass_until IS NULL THEN o.factor_policy ELSE 'exempt' END, "
    "GREATEST(o.factor_policy_since, m.created_at) + o.factor_grace_days * interval '1 day', "
    "EXISTS (SELECT 1 FROM accounts_secondfactor f WHERE f.user_id = u.id AND f.confirmed{which})"
)
_SIGN_IN_OR_CONSENT = " AND (f.id = t.factor OR t.client_id IS NOT NULL)"
_FIELDS = (
    "id", "kind", "organization_id", "organization_slug", "organization_name", "member_id", "name",
    "avatar_file_id", "role", "permissions", "language", "is_staff", "is_custom", "conditions", "scoped",
    "notices",
)  # fmt: skip


def rows(columns: str, *, where: str, params: list[Any], join: str = "") -> list[tuple[Any, ...]]:
    """Run the one statement; `columns`, `join` and `where` are constants of this module."""
    with connection.cursor() as cursor:
        planned.execute(cursor, f"SELECT {columns} {_FROM.format(join=join, where=where)}", params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def rows_of_keys(condition: str, value: bytes | Sequence[UUID]) -> list[tuple[Any, ...]]:
    """Return the seats of the owners of open keys, then what narrows them; the key's id is the fifth from the end."""
    return rows(
        f"{COLUMNS}, {POLICY.format(which='')}, k.id, k.scopes, k.conversations, k.scope_ids, k.networks",
        join="JOIN accounts_apikey k ON k.principal_id = m.user_id AND k.organization_id = m.organization_id",
        where=f"{condition} AND k.revoked_at IS NULL AND k.suspended_at IS NULL AND k.expires_at > now()",
        params=[value],
    )


def rows_of_families(condition: str, params: list[Any]) -> list[tuple[Any, ...]]:
    """Return the seats of the owners of open families of tokens; the family's id is the third from the end."""
    return rows(
        f"{COLUMNS}, {POLICY.format(which=_SIGN_IN_OR_CONSENT)}, t.id, t.factor, t.scopes",
        join="JOIN accounts_tokenfamily t ON t.principal_id = m.user_id AND t.organization_id = m.organization_id",
        where=f"{condition} AND t.ended_at IS NULL AND t.expires_at > now() "
        "AND NOT EXISTS (SELECT FROM accounts_oauthclient c WHERE c.organization_id = t.organization_id "
        "AND c.id = t.client_id AND c.disabled_at IS NOT NULL)",
        params=params,
    )


def rows_of_sessions(
    principals: Sequence[Principal], factors: Mapping[tuple[UUID, str], int | None]
) -> list[tuple[Any, ...]]:
    """Return the seats of people in one organization, each with the name of its session at the end."""
    return rows(
        f"{COLUMNS}, {POLICY.format(which=' AND f.id = asked.factor')}, asked.session",
        join="JOIN unnest(%s::uuid[], %s::text[], %s::bigint[]) AS asked(person, session, factor) "
        "ON asked.person = m.user_id",
        where="m.organization_id = %s",
        params=[
            [one.id for one in principals],
            [one.session for one in principals],
            [factors[one.id, one.session] for one in principals],
            principals[0].organization_id,
        ],
    )


def owner_of_key(row: tuple[Any, ...], *, address: str) -> Principal:
    """Return the owner of a key, narrowed to it.

    Raises:
        AddressNotAllowed, SecondFactorRequired.
    """
    *columns, policy, due_at, has_factor, key_id, scopes, conversations, scope_ids, networks = row
    if networks and not is_within(address, networks):
        raise AddressNotAllowed
    # A key acts without a browser: its person must have a factor, which is asked for where keys are made. Nobody showed
    # it in this call, so it fulfils no condition of a role.
    found = principal_of_row(tuple(columns), session=str(key_id), context=AccessContext(address=address))
    owner = _required(found, policy, due_at, has_factor)
    principal = dataclasses.replace(_narrowed(owner, scopes), credential=BY_KEY, address=address)
    if conversations is None:
        return principal
    bound = frozenset(scope_ids or ())
    return dataclasses.replace(
        principal,
        permissions=principal.permissions & BOUND_PERMISSIONS,
        granted=principal.granted & BOUND_PERMISSIONS,
        conversations=frozenset(conversations),
        scopes=bound,
        scoped=_scoped_within(principal.scoped, BOUND_PERMISSIONS, bound),
    )


def owner_of_family(row: tuple[Any, ...], *, address: str) -> Principal:
    """Return the owner of a family of tokens, narrowed to what was consented to.

    Raises:
        SecondFactorRequired.
    """
    *columns, policy, due_at, is_proved, family_id, factor_id, scopes = row
    context = AccessContext(address=address, has_factor=is_proved and factor_id is not None)
    found = principal_of_row(tuple(columns), session=str(family_id), context=context)
    owner = _required(found, policy, due_at, is_proved)
    principal = dataclasses.replace(owner, credential=BY_TOKEN, address=address)
    return principal if scopes is None else _narrowed(principal, scopes)


def in_session(row: tuple[Any, ...], *, session: str, context: AccessContext) -> Principal:
    """Return who acts in a session.

    Raises:
        SecondFactorRequired.
    """
    *seat, policy, due_at, is_proved = row
    context = dataclasses.replace(context, has_factor=is_proved)
    return _required(
        principal_of_row(tuple(seat), session=session, context=context), policy, due_at, is_proved
    )


def principal_of_row(row: tuple[Any, ...], *, session: str, context: AccessContext) -> Principal:
    """Return the principal of a seat as it is in these circumstances, not narrowed by a credential."""
    values = dict(zip(_FIELDS, row, strict=True))
    granted = frozenset(values.pop("permissions"))
    named = conditions.read(_decoded(values.pop("conditions")))
    scoped = tuple(_scoped(one, context) for one in values.pop("scoped"))
    principal = Principal(
        **values,
        permissions=granted,
        granted=granted,
        conditions=named,
        context=context,
        scoped=scoped,
        session=session,
    )
    return within(principal, context) if named else principal


def within(principal: Principal, context: AccessContext) -> Principal:
    """Return the principal as it is in these circumstances: held where a condition of its role does not hold.

    No query. Roles in single audiences keep what they were found with.
    """
    failing = principal.conditions.failing(context)
    named = principal.conditions.data_classes
    return dataclasses.replace(
        principal,
        context=context,
        held=failing,
        permissions=frozenset() if failing else principal.granted,
        data_classes=frozenset() if failing else None if named is None else frozenset(named),
        scoped=() if failing else principal.scoped,
    )


def _narrowed(principal: Principal, scopes: list[str]) -> Principal:
    """Return the principal with no more than these key scopes."""
    granted: frozenset[str] = frozenset().union(*(KEY_SCOPES.get(scope, frozenset()) for scope in scopes))
    return dataclasses.replace(
        principal,
        permissions=principal.permissions & granted,
        granted=principal.granted & granted,
        key_scopes=frozenset(scopes),
        scoped=_scoped_within(principal.scoped, granted),
    )


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
    """Look at what the role gives, not at what its conditions leave of it: those are asked again within a session."""
    return policy == "everybody" or (policy == "administrators" and bool(principal.granted & PRIVILEGED))


def _scoped(row: Any, context: AccessContext) -> ScopedGrant:
    scope_id, role, permissions, stored, *until = _decoded(row)
    holds = not conditions.read(stored).failing(context)
    return ScopedGrant(
        UUID(scope_id),
        role,
        SCOPED_PERMISSIONS & set(permissions) if holds else frozenset(),
        datetime.fromisoformat(until[0]) if until else None,
    )


def _decoded(value: Any) -> Any:  # Django leaves JSON of raw statements as text
    return orjson.loads(value) if isinstance(value, str) else value


def _scoped_within(
    scoped: tuple[ScopedGrant, ...], permissions: frozenset[str], scopes: frozenset[UUID] | None = None
) -> tuple[ScopedGrant, ...]:
    """Return roles in audiences with no more than these permissions, and in no other audiences than these."""
    return tuple(
        dataclasses.replace(one, permissions=one.permissions & permissions)
        for one in scoped
        if scopes is None or one.scope_id in scopes
    )

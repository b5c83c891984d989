"""Who acts: from a session, from a key, or an agent for a person.

The first two find the organization, so they run before one is known: its id comes from the open table of organizations
or from a definer function that answers ids only, and the seat is read inside its wall, in the same message. Everything
after them runs inside `tenancy.use(principal.organization_id)`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.accounts import conditions
from apps.accounts.conditions import NOWHERE, TASK, AccessContext, is_within
from apps.accounts.errors import AddressNotAllowed, MemberNotFound, OrganizationNotFound, SecondFactorRequired
from apps.accounts.types import (
    BOUND_PERMISSIONS,
    BY_KEY,
    BY_SEAT_ONLY,
    BY_TOKEN,
    KEY_SCOPES,
    PRIVILEGED,
    SCOPED_PERMISSIONS,
    OrganizationView,
    Principal,
    ScopedGrant,
)
from apps.core import tenancy
from apps.core.database import planned
from apps.core.errors import NotSignedIn

_FROM = """
FROM accounts_member m
JOIN accounts_user u ON u.id = m.user_id
JOIN accounts_organization o ON o.id = m.organization_id
JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
{join}
WHERE m.deactivated_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > now()) AND u.is_active AND o.is_active
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
_POLICY = (
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


def principal_for_session(
    *,
    user_id: UUID,
    organization_id: UUID | None = None,
    slug: str | None = None,
    session: str,
    factor_id: int | None = None,
    context: AccessContext = NOWHERE,
) -> Principal:
    """Return the signed-in user as a member of the organization. One query.

    Args:
        organization_id, slug: one of them names the organization.
        session: what a revocation names, see `session_id`.
        factor_id: the second factor this session was proved with; whether it is still there, the query asks.
        context: the other circumstances; `has_factor` is found out here.

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
    *seat, policy, due_at, is_proved = row
    context = dataclasses.replace(context, has_factor=is_proved)
    return _required(_principal(tuple(seat), session=session, context=context), policy, due_at, is_proved)


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
    # A key acts without a browser: its person must have a factor, which is asked for where keys are made. Nobody showed
    # it in this call, so it fulfils no condition of a role.
    found = _principal(tuple(columns), session=str(key_id), context=AccessContext(address=address))
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


def principal_for_family(family_id: UUID, *, owner_id: UUID, address: str = "") -> Principal:
    """Return the owner of an open family of tokens in the organization it is bound to. One query.

    Raises:
        NotSignedIn: ended, over or somebody else's, or its owner or the client it was opened for is no longer active.
        SecondFactorRequired: the organization asks for one; the sign-in was not proved with it, or it is gone. For a
            registered client the owner has one, as for keys: the consent was given in a session proved with it.
    """
    with tenancy.found_by("SELECT accounts_find_family(%s)", family_id):
        row = _one(
            f"{_COLUMNS}, {_POLICY.format(which=_SIGN_IN_OR_CONSENT)}, t.factor, t.scopes",
            join="JOIN accounts_tokenfamily t ON t.principal_id = m.user_id AND t.organization_id = m.organization_id",
            where="t.id = %s AND m.user_id = %s AND t.ended_at IS NULL AND t.expires_at > now() "
            "AND NOT EXISTS (SELECT FROM accounts_oauthclient c WHERE c.organization_id = t.organization_id "
            "AND c.id = t.client_id AND c.disabled_at IS NOT NULL)",
            params=[family_id, owner_id],
        )
    if row is None:
        raise NotSignedIn
    *columns, policy, due_at, is_proved, factor_id, scopes = row
    context = AccessContext(address=address, has_factor=is_proved and factor_id is not None)
    found = _principal(tuple(columns), session=str(family_id), context=context)
    owner = _required(found, policy, due_at, is_proved)
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
        principal,
        permissions=principal.permissions & granted,
        granted=principal.granted & granted,
        key_scopes=frozenset(scopes),
        scoped=_scoped_within(principal.scoped, granted),
    )


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
    agent = _principal(row, session=person.session, context=person.context)
    return dataclasses.replace(
        agent,
        permissions=agent.permissions & person.permissions,
        granted=agent.granted & person.granted,
        held=person.held or agent.held,
        data_classes=conditions.both(agent.data_classes, person.data_classes),
        scoped=_scoped_of_both(agent, person),
        key_scopes=person.key_scopes,
        credential=person.credential,
        conversations=person.conversations,
        scopes=person.scopes,
        on_behalf_of=person.id,
        person_is_guest=person.role in BY_SEAT_ONLY,
        is_staff=False,
    )


def principal_of_member(
    *, organization_id: UUID, user_id: UUID, session: str = "", context: AccessContext = TASK
) -> Principal:
    """Return a member as a principal, for work without a request (agents, imports, demo data). One query.

    Raises:
        MemberNotFound.
    """
    with tenancy.use(organization_id):
        row = _one(_COLUMNS, where="m.user_id = %s AND o.id = %s", params=[user_id, organization_id])
    if row is None:
        raise MemberNotFound
    return _principal(row, session=session, context=context)


def organizations_of(user_id: UUID) -> list[OrganizationView]:
    """Return the organizations a user has an open seat in, by name. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _MINE, [user_id, user_id])
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
        planned.execute(cursor, f"SELECT {columns} {_FROM.format(join=join, where=where)}", params)
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
    """Look at what the role gives, not at what its conditions leave of it: those are asked again within a session."""
    return policy == "everybody" or (policy == "administrators" and bool(principal.granted & PRIVILEGED))


def _principal(row: tuple[Any, ...], *, session: str, context: AccessContext) -> Principal:
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


def _scoped_of_both(agent: Principal, person: Principal) -> tuple[ScopedGrant, ...]:
    """Return what an agent and its person both may in single audiences, one by its role or both there.

    It ends with the first right there that has an end.
    """
    both = (*agent.scoped, *person.scoped)
    scopes = dict.fromkeys(one.scope_id for one in both)
    found = (
        ScopedGrant(
            scope_id,
            agent.role,
            (agent.permissions | agent.granted_in(scope_id))
            & (person.permissions | person.granted_in(scope_id))
            & SCOPED_PERMISSIONS,
            min((one.until for one in both if one.scope_id == scope_id and one.until), default=None),
        )
        for scope_id in scopes
    )
    return tuple(one for one in found if one.permissions)

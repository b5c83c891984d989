"""Who acts: from a session, from a key, or an agent for a person.

The first two find the organization, so they run before one is known: its id comes from the open table of organizations
or from a definer function that answers ids only, and the seat is read inside its wall, in the same message. Everything
after them runs inside `tenancy.use(principal.organization_id)`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts import conditions
from apps.accounts.conditions import NOWHERE, TASK, AccessContext
from apps.accounts.errors import AddressNotAllowed, MemberNotFound, OrganizationNotFound, SecondFactorRequired
from apps.accounts.selectors import seated
from apps.accounts.types import (
    BY_KEY,
    BY_SEAT_ONLY,
    BY_SESSION,
    BY_TOKEN,
    SCOPED_PERMISSIONS,
    Principal,
    ScopedGrant,
)
from apps.core import tenancy
from apps.core.errors import NotSignedIn

Signed = tuple[UUID, str]  # a user, and the name of a session


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
    columns = f"{seated.COLUMNS}, {seated.POLICY.format(which=' AND f.id = %s')}"
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
    return seated.in_session(row, session=session, context=context)


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
        found = seated.rows_of_keys("k.hash = %s", digest)
    if not found:
        raise NotSignedIn
    return seated.owner_of_key(found[0], address=address)


def principal_for_family(family_id: UUID, *, owner_id: UUID, address: str = "") -> Principal:
    """Return the owner of an open family of tokens in the organization it is bound to. One query.

    Raises:
        NotSignedIn: ended, over or somebody else's, or its owner or the client it was opened for is no longer active.
        SecondFactorRequired: the organization asks for one; the sign-in was not proved with it, or it is gone. For a
            registered client the owner has one, as for keys: the consent was given in a session proved with it.
    """
    with tenancy.found_by("SELECT accounts_find_family(%s)", family_id):
        found = seated.rows_of_families("t.id = %s AND m.user_id = %s", [family_id, owner_id])
    if not found:
        raise NotSignedIn
    return seated.owner_of_family(found[0], address=address)


def look_again(
    principals: Sequence[Principal], factors: Mapping[Signed, int | None]
) -> list[Principal | None]:
    """Return principals of one organization with their present rights, in order; None whose access there ended.

    What each is narrowed by stays: the scopes and bounds of its key or tokens, the circumstances of its session. One
    query for all keys, one for all families of tokens, one for all sessions.

    Args:
        factors: the second factor each open session was proved with, by whose it is and its name; one that is not
            there has ended.
    """
    (organization_id,) = {one.organization_id for one in principals}
    keys = [UUID(one.session) for one in principals if one.credential == BY_KEY]
    families = [UUID(one.session) for one in principals if one.credential == BY_TOKEN]
    browsers = [
        one for one in principals if one.credential == BY_SESSION and (one.id, one.session) in factors
    ]
    rows: dict[tuple[str, UUID, str], tuple[Any, ...]] = {}  # the first column is whose they are
    with tenancy.use(organization_id):
        if keys:
            rows |= {
                (BY_KEY, row[0], str(row[-5])): row for row in seated.rows_of_keys("k.id = ANY(%s)", keys)
            }
        if families:
            found = seated.rows_of_families("t.id = ANY(%s)", [families])
            rows |= {(BY_TOKEN, row[0], str(row[-3])): row for row in found}
        if browsers:
            rows |= {
                (BY_SESSION, row[0], row[-1]): row[:-1] for row in seated.rows_of_sessions(browsers, factors)
            }
    return [_again(one, rows.get((one.credential, one.id, one.session))) for one in principals]


def _again(principal: Principal, row: tuple[Any, ...] | None) -> Principal | None:
    if row is None:
        return None
    try:
        if principal.credential == BY_KEY:
            found = seated.owner_of_key(row, address=principal.address)
        elif principal.credential == BY_TOKEN:
            found = seated.owner_of_family(row, address=principal.address)
        else:
            found = seated.in_session(row, session=principal.session, context=principal.context)
    except (AddressNotAllowed, SecondFactorRequired):
        return None
    return found


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


def acting_for(*, agent_id: UUID, person: Principal) -> Principal:
    """Return an agent, bot or service acting for a person: the intersection of both rights. One query.

    Raises:
        MemberNotFound: no active member with this id that is not a person, in the person's organization.
    """
    with tenancy.use(person.organization_id):
        row = _one(
            seated.COLUMNS,
            where="m.user_id = %s AND o.id = %s AND u.kind <> 'person'",
            params=[agent_id, person.organization_id],
        )
    if row is None:
        raise MemberNotFound
    agent = seated.principal_of_row(row, session=person.session, context=person.context)
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
        row = _one(seated.COLUMNS, where="m.user_id = %s AND o.id = %s", params=[user_id, organization_id])
    if row is None:
        raise MemberNotFound
    return seated.principal_of_row(row, session=session, context=context)


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a key, invitation or link: they are random, so no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def session_id(session_key: str) -> str:
    """Return the name of a browser session in principals and revocations: 32 hex digits that open nothing."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


def _one(columns: str, *, where: str, params: list[Any]) -> tuple[Any, ...] | None:
    return next(iter(seated.rows(columns, where=where, params=params)), None)


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

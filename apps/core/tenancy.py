"""The organization this code works for, known in one place and sent in front of every statement.

Middleware, socket consumers, the Celery base task and commands open `use(organization_id)`; nothing else does.
The execute wrapper puts the organization into the same message as the statement (measured: 42 microseconds), so it
also holds behind a pooler in transaction mode, and row policies can read it with
`current_setting('app.organization', true)`.

Outside every organization the row policies show nothing and take nothing. That silence hides mistakes (a lazy queryset
evaluated too late), so in development and tests the wrapper raises instead: `WALLS_RAISE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import db
from django.conf import settings
from django.db import NotSupportedError
from psycopg import ServerCursor
from psycopg.pq import TransactionStatus

from apps.core import walls

APP_ROLE = "chat_app"


@dataclass(frozen=True)
class _LookUp:
    """SQL that finds the organization, in the message of the statement."""

    sql: str
    params: tuple[object, ...]


_organization: ContextVar[UUID | _LookUp | None] = ContextVar("organization", default=None)
_CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")  # must work in an aborted transaction


class OrganizationUnset(RuntimeError):
    """Tenant data was asked for outside every organization: a programming error, never the caller's."""


@contextmanager
def use(organization_id: UUID) -> Iterator[None]:
    """Work for one organization until the block ends; nests, and never leaks outwards."""
    token = _organization.set(UUID(str(organization_id)))
    try:
        yield
    finally:
        _organization.reset(token)


@contextmanager
def found_by(sql: str, *params: object) -> Iterator[None]:
    """Work for the organization that a look-up finds, without a round trip of its own: whose key, which slug.

    For one statement with positional parameters, before the organization is known. None found means none.

    Args:
        sql: a constant SELECT of one id; it reads tables outside the wall or asks a definer function.
    """
    token = _organization.set(_LookUp(sql, params))
    try:
        yield
    finally:
        _organization.reset(token)


@contextmanager
def nobody() -> Iterator[None]:
    """Work for no organization, for code that fans out over all of them under the platform role."""
    token = _organization.set(None)
    try:
        yield
    finally:
        _organization.reset(token)


def find_current() -> UUID | None:
    """Return the organization of the current context, or None."""
    organization = _organization.get()
    return organization if isinstance(organization, UUID) else None


def current() -> UUID:
    """Return the organization of the current context.

    Raises:
        OrganizationUnset: outside every `use`.
    """
    organization = _organization.get()
    if not isinstance(organization, UUID):
        raise OrganizationUnset
    return organization


def is_set() -> bool:
    """Return whether statements are for an organization, known or looked up with the next one."""
    return _organization.get() is not None


def wall(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django execute wrapper: set the organization and run the statement in one message and one transaction."""
    if sql.startswith(_CONTROL):
        return execute(sql, params, many, context)
    organization = _organization.get()
    cursor, connection = context["cursor"], context["connection"]
    if organization is None and settings.WALLS_RAISE:
        _refuse_silence(sql, connection)
    if organization is None and not connection.in_atomic_block:
        return execute(
            sql, params, many, context
        )  # nothing was set, and DDL such as CONCURRENTLY must stand alone
    if isinstance(organization, _LookUp):
        found = f"SELECT set_config('app.organization', coalesce(({organization.sql})::text, ''), true);"
        result = execute(found + sql, [*organization.params, *params], many, context)
        cursor.nextset()
        return result
    setting = f"SELECT set_config('app.organization', '{organization or ''}', true);"
    if many or isinstance(cursor.cursor, ServerCursor):  # these take one statement only
        if not connection.in_atomic_block:
            if walls.find_walled_table(sql) is None:
                return execute(
                    sql, params, many, context
                )  # of no organization: allauth looks for an address so
            raise NotSupportedError(
                "iterator() and executemany() need a transaction, so that the organization holds"
            )
        connection.connection.execute(setting)
        return execute(sql, params, many, context)
    result = execute(setting + sql, params, many, context)
    cursor.nextset()
    return result


def _refuse_silence(sql: str, connection: Any) -> None:
    """Raise where the policies would show nothing without a word; roles that pass the walls may do it."""
    table = walls.find_walled_table(sql)
    if table is None:
        return
    database = connection.connection  # psycopg's own, past this wrapper
    if database.info.transaction_status == TransactionStatus.INERROR:
        return
    active = database.execute("SELECT row_security_active(to_regclass(%s)::oid)", [table]).fetchone()
    if active == (True,):
        raise OrganizationUnset(f"{table} was asked for outside every organization: {sql[:200]}")


def bind() -> None:
    """Run the rest of the transaction as the runtime role, for the relay: work for one organization stays inside.

    Does nothing in a process that is this role already, or where the server does not let it.
    """
    if _may_be_bound(str(db.connection.settings_dict["USER"])):
        db.connection.connection.execute(f"SET LOCAL ROLE {APP_ROLE}")


@lru_cache(maxsize=8)
def _may_be_bound(user: str) -> bool:
    """Return whether this login is another role that may become the runtime role; asked once for each login."""
    if user == APP_ROLE:
        return False
    with db.connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'SET')"
            " AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user))",
            [APP_ROLE],
        )
        return bool(cursor.fetchone()[0])


def install(connection: Any, **_kwargs: Any) -> None:
    """Receiver of `connection_created`: every PostgreSQL connection gets the wrapper once."""
    if connection.vendor == "postgresql" and wall not in connection.execute_wrappers:
        connection.execute_wrappers.append(wall)

"""Grants for the runtime roles, applied after each migration, and the report which walls stand.

Roles: owner (migrations, dumps; BYPASSRLS), app (runtime, owns nothing, bound by the row policies), writer (no login,
owns the definer functions), platform (relay and cross-organization work). Where an operator gives one URL only, the
roles are absent: row security is then not forced, so that the one role works, and `missing_walls` says so.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from apps.core import walls
from apps.core.migrations_support import POLICY
from apps.core.tenancy import APP_ROLE as APP

PLATFORM, WRITER = "chat_platform", "chat_writer"
# Written by definer functions only; the runtime role reads them.
_WRITTEN_BY_FUNCTIONS = ("core_event", "core_eventoutbox", "core_eventfeed", "core_stream")
_TRAIL = ("core_auditentry", "core_auditchain")  # like those, and neither the relay nor the writer deletes
# A partition read by its own name would be under its own policies, so only the parents are granted.
_TABLES = """
SELECT c.relname, c.relispartition FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
  AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1
"""
_WALLED = """
SELECT c.relname, c.relforcerowsecurity FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE p.polname = %s ORDER BY 1
"""
_PASSES = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


class OwnerIsWalled(RuntimeError):
    """The role that migrates is bound by the walls: its data migrations would change nothing, without an error."""


def existing_roles(using: str = "default") -> set[str]:
    """Return which of the three runtime roles the server knows."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[APP, PLATFORM, WRITER]])
        return {name for (name,) in cursor.fetchall()}


def require_passing_owner(using: str = "default", **_kwargs: Any) -> None:
    """Receiver of `pre_migrate`.

    Raises:
        OwnerIsWalled: walls are forced and this role has no BYPASSRLS.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_PASSES)
        (passes,) = cursor.fetchone()
        cursor.execute(_WALLED, [POLICY])
        if not passes and any(is_forced for _, is_forced in cursor.fetchall()):
            raise OwnerIsWalled("the role that migrates needs BYPASSRLS: ALTER ROLE ... BYPASSRLS")


def grant_after_migrate(using: str = "default", **_kwargs: Any) -> None:
    """Receiver of `post_migrate`: idempotent; for the owner of the tables, others (a flush in tests) change nothing."""
    roles = existing_roles(using)
    with connections[using].cursor() as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        if not tables:
            return
        open_ones = ", ".join(f'"{name}"' for name, is_partition in tables if not is_partition)
        partitions = ", ".join(f'"{name}"' for name, is_partition in tables if is_partition)
        for role in sorted(roles):
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {open_ones} TO {role}")
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
            if partitions:
                cursor.execute(f"REVOKE ALL ON {partitions} FROM {role}")
        if APP in roles:
            for table in _WRITTEN_BY_FUNCTIONS:
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {APP}")
        _close_trail(cursor, roles)
        _force(cursor, is_forced=len(roles) == 3)


def _close_trail(cursor: Any, roles: set[str]) -> None:
    """Leave the trail to its functions. A partition is reached through its parent only."""
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class p ON p.oid = inhrelid"
        " WHERE inhparent = 'core_auditentry'::regclass AND pg_has_role(p.relowner, 'USAGE')"
    )  # tests empty their tables as another role, which announces a migration too
    partitions = [name for (name,) in cursor.fetchall()]
    for role in sorted(roles):
        for table in _TRAIL:
            kept = "DELETE" if role == WRITER else "INSERT, UPDATE, DELETE"
            cursor.execute(f"REVOKE {kept} ON {table} FROM {role}")
        for partition in partitions:
            cursor.execute(f"REVOKE ALL ON {partition} FROM {role}")


def _force(cursor: Any, *, is_forced: bool) -> None:
    """Bind the owner of the tables to the walls too, or let it pass where it is the only role."""
    cursor.execute(_WALLED, [POLICY])
    how = "FORCE" if is_forced else "NO FORCE"
    for table, is_now in cursor.fetchall():
        if is_now != is_forced:
            cursor.execute(f'ALTER TABLE "{table}" {how} ROW LEVEL SECURITY')


def count_forced_walls(using: str = "default") -> tuple[int, int]:
    """Return how many tables of organizations are behind forced row security, and how many there are. One query."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE relrowsecurity AND relforcerowsecurity), count(*) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)",
            [sorted(walls.walled_tables())],
        )
        forced, all_of_them = cursor.fetchone()
    return int(forced), int(all_of_them)


def missing_walls(using: str = "default") -> list[str]:
    """Return the names of the runtime roles that this server lacks, or that pass the walls. One query."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
            " AND NOT (rolname = %s AND (rolsuper OR rolbypassrls))",
            [[APP, PLATFORM, WRITER], APP],
        )
        return sorted({APP, PLATFORM, WRITER} - {name for (name,) in cursor.fetchall()})

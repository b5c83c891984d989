"""Grants for the runtime roles, applied after each migration, and the report which walls stand.

Roles: owner (migrations, dumps), app (runtime, owns nothing), writer (no login, owns the definer functions), platform
(relay and cross-organization work). Where an operator gives one URL only, the roles are absent and `missing_walls`
says so.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

APP, PLATFORM, WRITER = "chat_app", "chat_platform", "chat_writer"
# Written by definer functions only; the runtime role reads them.
_WRITTEN_BY_FUNCTIONS = ("core_event", "core_eventoutbox", "core_eventfeed", "core_stream")
_TRAIL = ("core_auditentry", "core_auditchain")  # like those, and neither the relay nor the writer deletes


def existing_roles(using: str = "default") -> set[str]:
    """Return which of the three runtime roles the server knows."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[APP, PLATFORM, WRITER]])
        return {name for (name,) in cursor.fetchall()}


def grant_after_migrate(using: str = "default", **_kwargs: Any) -> None:
    """Receiver of `post_migrate`: idempotent, runs as the owner."""
    roles = existing_roles(using)
    with connections[using].cursor() as cursor:
        for role in sorted(roles):
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        if APP in roles:
            for table in _WRITTEN_BY_FUNCTIONS:
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {APP}")
        _close_trail(cursor, roles)


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


def missing_walls(using: str = "default") -> list[str]:
    """Return the names of the runtime roles that do not exist on this server."""
    return sorted({APP, PLATFORM, WRITER} - existing_roles(using))

"""Empty the tables after a test that committed: those that hold something, and by DELETE where that is little.

Django's flush truncates every table and writes content types and permissions anew; that took longer than most tests.
Triggers rest meanwhile, those of foreign keys and the one that keeps the audit trail: the test server lets this role
switch them off, no other does. It has a connection of its own, which stays: looking into all tables for the first time
takes a server process 70 ms, later 5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import psycopg
from django.db import connection

# Written by the migrations, and the same for every test.
_KEPT = ("django_migrations", "django_content_type", "auth_permission")
_TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND NOT c.relname = ANY (%s) ORDER BY 1
"""


def install(cursor: Any) -> None:
    """Make the function that names the tables with rows; its plans are made once for a connection."""
    cursor.execute(_TABLES, [list(_KEPT)])
    looks = "".join(
        f"IF EXISTS (SELECT 1 FROM {table}) THEN RETURN NEXT '{table}'; END IF;\n"
        for (table,) in cursor.fetchall()
    )
    cursor.execute(
        f"CREATE FUNCTION test_filled_tables() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN\n{looks}END $$"
    )


def empty_tables(*, truncates: bool = False) -> None:
    """Delete every row but those of the migrations.

    Args:
        truncates: for many rows; it costs a new file for each table and index.
    """
    database = _connected()
    with database.transaction():
        database.execute("SET LOCAL ROLE chat_everywhere")
        filled = [table for (table,) in database.execute("SELECT test_filled_tables()")]
        if truncates and filled:
            database.execute("RESET ROLE")  # who may truncate
            database.execute(f"TRUNCATE {', '.join(filled)} CASCADE".encode())
            return
        database.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            database.execute(f"DELETE FROM {table}".encode())


@lru_cache(maxsize=1)
def _connected() -> psycopg.Connection[tuple[Any, ...]]:
    server = connection.settings_dict
    return psycopg.connect(
        host=server["HOST"], port=server["PORT"] or None, dbname=server["NAME"], user=server["USER"],
        password=server["PASSWORD"] or None, options="-c lock_timeout=30s", autocommit=True,
    )  # fmt: skip


def close() -> None:
    """Close what was opened, if it was."""
    if _connected.cache_info().currsize:
        _connected().close()
        _connected.cache_clear()

"""Empty the tables after a test that committed: those that hold something, and by DELETE where that is little.

Django's flush truncates every table and writes content types and permissions anew; that took longer than most tests.
Triggers rest meanwhile, those of foreign keys and the one that keeps the audit trail: the test server lets this role
switch them off, no other does.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

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
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE chat_everywhere")
        cursor.execute("SELECT test_filled_tables()")
        filled = [table for (table,) in cursor.fetchall()]
        if truncates and filled:
            cursor.execute("RESET ROLE")  # who may truncate
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
            return
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(f"DELETE FROM {table}")

"""Above the walls: what a test sets up and looks at in several organizations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg.pq import TransactionStatus


@contextmanager
def everywhere() -> Iterator[None]:
    """See and write the rows of all organizations, on the test's own connection.

    For what a test sets up or counts, and for what the relay runs; never around what a request runs. The role exists
    on the test server only, and the runtime role takes it by `SET ROLE` only (see `chatsystem.testing.plugin`).
    """
    connection.ensure_connection()
    connection.connection.execute("SET ROLE chat_everywhere")  # past Django, so that no query is counted
    try:
        yield
    finally:
        database = connection.connection
        is_open = database is not None and not database.closed
        if (
            is_open and database.info.transaction_status != TransactionStatus.INERROR
        ):  # the rollback resets it
            database.execute("RESET ROLE")

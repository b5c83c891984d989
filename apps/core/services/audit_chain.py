"""Chain what was recorded: the relay numbers and hashes entries in the order they became visible to it."""

from __future__ import annotations

from django.db import connection

BATCH = 500


def chain_waiting(*, limit: int = BATCH) -> int:
    """Chain up to `limit` entries of all organizations in one transaction; return how many.

    Only the role of the relay may call it. An entry that commits late gets a later number, never a hole.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT core_chain_audit(%s)", [limit])
        return int(cursor.fetchone()[0])

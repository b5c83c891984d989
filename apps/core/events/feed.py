"""Move the outbox into the feed: this is where events get their global order."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

RELAY_LOCK = 0x63686174  # "chat"; one mover at a time, or two could break the order
_COLUMNS = "organization_id, scope_id, stream_id, sequence, type, payload, actor_id, trace_id, created_at"
_MOVE = f"""
WITH moved AS (
  DELETE FROM core_eventoutbox WHERE id IN (SELECT id FROM core_eventoutbox ORDER BY id LIMIT %s)
  RETURNING id, {_COLUMNS}
), fed AS (
  INSERT INTO core_eventfeed (event_id, {_COLUMNS}) SELECT id, {_COLUMNS} FROM moved ORDER BY id
  RETURNING position, stream_id, sequence, type, payload::text, created_at
)
SELECT position, stream_id, sequence, type, payload, created_at FROM fed ORDER BY position
"""  # noqa: S608 - constants only


def move_outbox(*, limit: int = 1000) -> list[dict[str, Any]]:
    """Move up to `limit` rows, oldest first; return them with their positions.

    The lock is a statement of its own before the move, so the move's snapshot is taken after it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RELAY_LOCK])
        cursor.execute(_MOVE, [limit])
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

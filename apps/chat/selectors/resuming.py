"""What a client missed, straight from the log, on the plain psycopg pool."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from apps.core.database.patience import PatientPool
from apps.core.events import frames

TOO_FAR = 500
_MISSED = """
SELECT e.stream_id, e.sequence, e.type, e.payload::text
FROM unnest(%s::uuid[], %s::bigint[]) AS r (stream, after)
CROSS JOIN LATERAL (
  SELECT x.stream_id, x.sequence, x.type, x.payload FROM core_event x
  WHERE x.organization_id = %s AND x.stream_id = r.stream AND x.sequence > r.after ORDER BY x.sequence LIMIT %s
) e
"""


async def missed(
    pool: PatientPool, organization_id: UUID, after: Mapping[UUID, int]
) -> tuple[dict[UUID, list[bytes]], list[UUID]]:
    """Return the frames after each stream's sequence, in order, and the streams that are too far behind.

    One query. The caller decided that the reader may have these streams.
    """
    found: dict[UUID, list[bytes]] = {}
    async with pool.connection() as db, db.transaction():
        await db.execute("SELECT set_config('app.organization', %s, true)", [str(organization_id)])
        cursor = await db.execute(_MISSED, [list(after), list(after.values()), organization_id, TOO_FAR + 1])
        async for stream, sequence, kind, payload in cursor:
            encoded = frames.encode(type=kind, stream_id=stream, sequence=sequence, payload=payload.encode())
            if encoded is not None:
                found.setdefault(stream, []).append(encoded[1])
            else:
                found.setdefault(stream, [])
    too_far = [stream for stream, frames_ in found.items() if len(frames_) > TOO_FAR]
    for stream in too_far:
        del found[stream]
    return found, too_far

"""What clients missed, straight from the log, on the plain psycopg pool."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.core.database.patience import PatientAsyncConnection, PatientPool
from apps.core.events import frames

TOO_FAR = 500  # of one stream
TOO_MUCH = 5000  # of all that a client asks for at once; the page is quicker
# Streams are named by their place: making an id of each row again would take as long as finding it.
_HEADS = """
SELECT r.place - 1, s.last_sequence FROM unnest(%s::uuid[]) WITH ORDINALITY AS r (stream, place)
JOIN core_stream s ON s.organization_id = %s AND s.id = r.stream
"""
_MISSED = """
SELECT r.place - 1, e.sequence, e.type, e.payload::text
FROM unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS r (stream, after, place)
CROSS JOIN LATERAL (
  SELECT x.sequence, x.type, x.payload FROM core_event x
  WHERE x.organization_id = %s AND x.stream_id = r.stream AND x.sequence > r.after ORDER BY x.sequence LIMIT %s
) e
"""
Asked = tuple[UUID, int]  # a stream with news, and the last sequence that is known of it


@dataclass(frozen=True)
class Missing:
    """What a client has: streams that it may have, each with the last sequence it knows."""

    organization_id: UUID
    after: Mapping[UUID, int]


@dataclass(frozen=True)
class Missed:
    """What it lacks.

    Attributes:
        payloads: the frames of each stream, in order; nothing of a stream without news.
        too_far: the streams that are not told: more than 500 behind, or what is left after 5,000 of others.
    """

    payloads: Mapping[UUID, Sequence[bytes]]
    too_far: Sequence[UUID]


@dataclass(frozen=True)
class _Told:
    """The frames of a stream and their sequences, in order."""

    sequences: list[int]
    payloads: list[bytes]

    def after(self, sequence: int) -> list[bytes]:
        return self.payloads[bisect_right(self.sequences, sequence) :]


async def missed(pool: PatientPool, asked: Sequence[Missing]) -> list[Missed]:
    """Return what each of these clients missed. Two queries for the clients of an organization.

    The caller decided that the readers may have these streams.
    """
    answers: dict[int, Missed] = {}
    async with pool.connection() as db:
        for organization_id in {one.organization_id for one in asked}:
            here = [place for place, one in enumerate(asked) if one.organization_id == organization_id]
            async with db.transaction():
                await db.execute("SELECT set_config('app.organization', %s, true)", [str(organization_id)])
                told = await _told(db, organization_id, [asked[place].after for place in here])
            answers |= zip(here, told, strict=True)
    return [answers[place] for place in range(len(asked))]


async def _told(
    db: PatientAsyncConnection, organization_id: UUID, clients: Sequence[Mapping[UUID, int]]
) -> list[Missed]:
    names = {stream: str(stream) for after in clients for stream in after}
    streams = list(names)
    cursor = await db.execute(_HEADS, [list(names.values()), organization_id])
    heads = {streams[place]: last for place, last in await cursor.fetchall()}
    near, too_far = zip(*(_near(after, heads) for after in clients), strict=True)
    # Those who were cut off together lack much the same: each stream is read once, from where the first one stopped.
    first: dict[UUID, int] = {}
    for items in near:
        for stream, sequence in items:
            first[stream] = min(sequence, first.get(stream, sequence))
    found = await _read(db, organization_id, first, names) if first else {}
    return [
        Missed({stream: found[stream].after(sequence) for stream, sequence in items}, far)
        for items, far in zip(near, too_far, strict=True)
    ]


def _near(after: Mapping[UUID, int], heads: Mapping[UUID, int]) -> tuple[list[Asked], list[UUID]]:
    """Return the streams with news that are worth telling, and those that are too far."""
    near: list[Asked] = []
    too_far, left = [], TOO_MUCH
    for stream, sequence in after.items():
        behind = heads.get(stream, 0) - sequence
        if behind > min(TOO_FAR, left):
            too_far.append(stream)
        elif behind > 0:
            near.append((stream, sequence))
            left -= behind
    return near, too_far


async def _read(
    db: PatientAsyncConnection, organization_id: UUID, after: Mapping[UUID, int], names: Mapping[UUID, str]
) -> dict[UUID, _Told]:
    found = {stream: _Told([], []) for stream in after}
    told = [(names[stream], kept.sequences.append, kept.payloads.append) for stream, kept in found.items()]
    cursor = await db.execute(
        _MISSED, [[name for name, _, _ in told], list(after.values()), organization_id, TOO_FAR + 1]
    )
    for place, sequence, kind, payload in await cursor.fetchall():
        name, number, keep = told[place]
        encoded = frames.encode(type=kind, stream_id=name, sequence=sequence, payload=payload.encode())
        if encoded is not None:
            number(sequence)
            keep(encoded[1])
    return found

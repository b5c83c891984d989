"""Stream frames of a run: stored first, then published, in micro-batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import Max

from apps.core.events.publishing import publish_ephemeral
from apps.runs.errors import LeaseLost
from apps.runs.models import RunFrame
from apps.runs.selectors.frames import channel, encode
from apps.runs.services.leases import Lease
from apps.runs.types import JSON, Frame

BATCH_SECONDS = 0.08  # nobody sees a tenth of a second, and ten frames cost one statement

# The shared lock on the run's row orders this against another worker taking the lease over.
_STORE = """
INSERT INTO runs_runframe (organization_id, run_id, number, type, data)
SELECT held.organization_id, held.id, frame.number, frame.type, frame.data::jsonb
FROM (SELECT organization_id, id FROM runs_run
      WHERE organization_id = %s AND id = %s AND lease_owner = %s FOR SHARE) held,
     unnest(%s::int[], %s::text[], %s::text[]) AS frame(number, type, data)
"""


def last_number(run_id: UUID) -> int:
    """Return the number of the newest frame, 0 when there is none."""
    return RunFrame.objects.filter(run_id=run_id).aggregate(last=Max("number"))["last"] or 0


def publish(run_id: UUID, frames: Sequence[Frame]) -> None:
    """Send stored frames to whoever follows the run now; late readers take them from the table."""
    for frame in frames:
        publish_ephemeral(channel(run_id), encode(run_id, frame))


def append(*, organization_id: UUID, run_id: UUID, type: str, data: JSON) -> None:  # noqa: A002
    """Add one frame inside the transaction that holds the run's lock; published after the commit."""
    frame = Frame(last_number(run_id) + 1, type, data)
    RunFrame.objects.create(
        organization_id=organization_id,
        run_id=run_id,
        number=frame.number,
        type=frame.type,
        data=frame.data,
    )
    transaction.on_commit(lambda: publish(run_id, [frame]))


class FrameWriter:
    """The stream of one leased run; two threads may emit and flush, the order is that of `emit`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._lock = threading.Lock()
        self._waiting: list[Frame] = []
        self._number: int | None = None
        self._flushed_at = 0.0

    def emit(self, type: str, data: JSON) -> bool:  # noqa: A002
        """Add a frame; it is stored now or with the next ones within `BATCH_SECONDS`.

        Returns:
            Whether it waits, so that somebody must call `flush` in time.
        """
        with self._lock:
            if self._number is None:
                self._number = last_number(self._lease.run_id)
            self._number += 1
            self._waiting.append(Frame(self._number, type, storable(data)))
            if time.monotonic() - self._flushed_at < BATCH_SECONDS:
                return True
            self._store()
            return False

    def flush(self) -> None:
        """Store and publish what waits.

        Raises:
            LeaseLost: another worker has the run; nothing was stored.
        """
        with self._lock:
            self._store()

    @property
    def has_any(self) -> bool:
        """Return whether the run has frames already, of this worker or of an earlier one."""
        with self._lock:
            if self._number is None:
                self._number = last_number(self._lease.run_id)
            return self._number > 0

    @property
    def due_in_seconds(self) -> float | None:
        """Return when what waits has to be stored, or None when nothing waits."""
        if not self._waiting:
            return None
        return max(0.0, self._flushed_at + BATCH_SECONDS - time.monotonic())

    def _store(self) -> None:
        if not self._waiting:
            return
        frames = list(self._waiting)
        with connection.cursor() as cursor:
            cursor.execute(
                _STORE,
                [
                    self._lease.organization_id,
                    self._lease.run_id,
                    self._lease.owner,
                    [frame.number for frame in frames],
                    [frame.type for frame in frames],
                    [orjson.dumps(frame.data).decode() for frame in frames],
                ],
            )
            if cursor.rowcount != len(frames):
                raise LeaseLost(self._lease.run_id)
        del self._waiting[: len(frames)]
        self._flushed_at = time.monotonic()
        publish(self._lease.run_id, frames)


def storable(data: JSON) -> dict[str, Any]:
    """Return the data as PostgreSQL keeps it: no NUL, no half of a surrogate pair, ids and times as text."""
    cleaned: dict[str, Any] = orjson.loads(orjson.dumps(_clean(dict(data)), option=orjson.OPT_NON_STR_KEYS))
    return cleaned


def _clean(value: Any) -> Any:  # whatever JSON a step hands over
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value

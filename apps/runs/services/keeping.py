"""Beside a working step: renew its lease, look for a cancel, store frames that would wait too long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from apps.core import tenancy
from apps.runs.errors import LeaseLost
from apps.runs.services import leases
from apps.runs.services.context import Watch, look
from apps.runs.services.frames import FrameWriter
from apps.runs.services.leases import Lease

LOOK_SECONDS = 0.25  # a cancel is heard of within a second, on a busy machine too
RENEW_SECONDS = 15.0
logger = logging.getLogger(__name__)


@contextmanager
def kept(lease: Lease, frames: FrameWriter, watch: Watch) -> Iterator[None]:
    """Keep the lease while the block works, in a thread with its own connection.

    Inside a transaction nothing is kept, as no other connection could see the run; the step then looks by
    itself.
    """
    if connection.in_atomic_block:
        yield
        return
    keeper = threading.Thread(
        target=_keep, args=(lease, frames, watch), name=f"keeper-{lease.run_id}", daemon=True
    )
    watch.is_kept = True
    keeper.start()
    try:
        yield
    finally:
        watch.is_kept = False
        watch.changed.set()
        keeper.join()


def _keep(lease: Lease, frames: FrameWriter, watch: Watch) -> None:
    try:
        _keep_on(lease, frames, watch)
    finally:
        connection.close()  # also where the step ended with frames still due: the step stores them


def _keep_on(lease: Lease, frames: FrameWriter, watch: Watch) -> None:
    renewed_at = looked_at = time.monotonic()
    with tenancy.use(lease.organization_id):
        while watch.is_kept and not watch.is_lost:
            due = frames.due_in_seconds
            watch.changed.wait(LOOK_SECONDS if due is None else min(due, LOOK_SECONDS))
            watch.changed.clear()
            now = time.monotonic()
            try:
                if frames.due_in_seconds == 0.0:
                    frames.flush()
                if now - looked_at >= LOOK_SECONDS:
                    looked_at = now
                    look(lease, watch)
                if now - renewed_at >= RENEW_SECONDS and not _is_over_time(watch, now):
                    renewed_at = now
                    leases.renew(lease)
            except LeaseLost:
                watch.is_lost = True
            except DatabaseError as error:
                logger.warning(
                    "run.not_kept", extra={"run": str(lease.run_id), "reason": type(error).__name__}
                )
                watch.changed.wait(
                    LOOK_SECONDS
                )  # the server is away: the frames stay here, the lease has a minute
            finally:
                if frames.due_in_seconds is None:
                    connection.close()  # back to the pool; most turns are half a second apart


def _is_over_time(watch: Watch, now: float) -> bool:
    return watch.deadline is not None and now > watch.deadline

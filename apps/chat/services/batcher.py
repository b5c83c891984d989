"""Group commit: what waits goes into one statement and one commit; the next batch collects and runs meanwhile.

A few lanes per process work beside each other, so that one computes while another waits for the disk. A conversation
is in one lane at a time: its order is that of the drafts. Only code in the event loop uses it, never inside `atomic()`.
"""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from uuid import UUID

from django.db import connection
from psycopg import Error, InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from apps.chat.errors import ClientKeyReused
from apps.chat.events import MessageSent
from apps.chat.services import write_path
from apps.chat.services.messages import explain_refusal, sent_total
from apps.chat.types import Draft, SentMessage
from apps.core import tenancy
from apps.core.database.patience import PatientPool
from apps.core.errors import Unavailable
from apps.core.events import frames
from apps.core.realtime.hub import Hub, get_hub
from apps.core.threads import in_thread

MOST = 256
MOST_WAITING = 5000
LANES = 2
WORTH_A_LANE = 16  # a smaller share of what waits costs more than working beside each other saves
logger = logging.getLogger(__name__)
Waiting = tuple[Draft, "asyncio.Future[write_path.Stored | None]"]


class InsideTransaction(RuntimeError):
    """The batcher commits by itself: inside `atomic()` it would commit what the caller may roll back."""


class Batcher:
    """Collects drafts of one event loop."""

    def __init__(self, pool: PatientPool, hub: Hub) -> None:
        self._pool, self._hub = pool, hub
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._held: dict[UUID, list[Waiting]] = {}  # of each conversation in a lane: what came after
        self._lanes: set[asyncio.Task[None] | None] = set()
        self._is_due = False
        self._count = 0

    async def submit(self, draft: Draft) -> SentMessage:
        """Store the draft with the next batch; returns after the commit.

        Raises:
            Unavailable: the database is away or too much is waiting; the client key makes a retry safe.
            DomainError: the write path refused it.
        """
        if connection.in_atomic_block:
            raise InsideTransaction
        if self._count >= MOST_WAITING:
            raise Unavailable(retry_after_seconds=1)
        future: asyncio.Future[write_path.Stored | None] = self._loop.create_future()
        self._held.get(draft.conversation_id, self._waiting).append((draft, future))
        self._count += 1
        self._start_soon()
        stored = await future
        if stored is None:
            raise await in_thread(_explain, draft)
        if not stored.same:
            raise ClientKeyReused
        return stored.sent

    def _start_soon(self) -> None:
        """Look once everybody who runs in this turn of the loop has handed in."""
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._start)

    def _start(self) -> None:
        self._is_due = False
        while self._waiting and (free := LANES - len(self._lanes)) > 0:
            batch = self._take(min(MOST, max(WORTH_A_LANE, -(-len(self._waiting) // free))))
            self._lanes.add(self._loop.create_task(self._run(batch)))

    def _take(self, most: int) -> list[Waiting]:
        """Return the next drafts, and hold back what waits for a conversation among them."""
        batch, rest = self._waiting[:most], self._waiting[most:]
        self._held |= {draft.conversation_id: [] for draft, _ in batch}
        self._waiting = []
        for item in rest:
            self._held.get(item[0].conversation_id, self._waiting).append(item)
        self._count -= len(batch)
        return batch

    async def _run(self, batch: list[Waiting]) -> None:
        try:
            await self._commit(batch)
        finally:
            for conversation in {draft.conversation_id for draft, _ in batch}:
                self._waiting += self._held.pop(conversation)
            self._lanes.discard(asyncio.current_task())
            self._start_soon()

    async def _commit(self, batch: list[Waiting]) -> None:
        try:
            stored = await self._store([draft for draft, _ in batch])
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            logger.warning("batcher.database_away", extra={"drafts": len(batch)})
            for _, future in batch:
                if not future.done():
                    future.set_exception(
                        Unavailable(retry_after_seconds=2).with_traceback(error.__traceback__)
                    )
            return
        except Error as error:
            await self._one_by_one(batch, error)
            return
        self._publish(stored)
        for draft, future in batch:
            if not future.done():
                future.set_result(stored.get(draft.id))

    async def _one_by_one(self, batch: list[Waiting], error: Error) -> None:
        """One bad row fails a whole statement: store each alone, so that only the bad one is refused."""
        if len(batch) == 1:
            logger.error("batcher.row_refused", extra={"sqlstate": error.sqlstate})
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for item in batch:
            await self._commit([item])

    async def _store(self, drafts: list[Draft]) -> dict[UUID, write_path.Stored]:
        """Run the statement; a connection that died while idle gets one fresh try, which the client keys make safe."""
        try:
            return await self._call(drafts)
        except (OperationalError, InterfaceError):
            return await self._call(drafts)

    async def _call(self, drafts: list[Draft]) -> dict[UUID, write_path.Stored]:
        async with self._pool.connection() as db:
            cursor = await db.execute(write_path.SEND_BATCH, [write_path.encode(drafts)], prepare=False)
            return write_path.decode(drafts, await cursor.fetchall())

    def _publish(self, stored: dict[UUID, write_path.Stored]) -> None:
        items = []
        for item in sorted(stored.values(), key=lambda one: one.sent.sequence):
            sent = item.sent
            encoded = sent.payload and frames.encode(
                type=MessageSent.type,
                stream_id=sent.conversation_id,
                sequence=sent.sequence,
                payload=sent.payload,
            )
            if encoded:
                items.append((*encoded, sent.sequence))
        if items:
            self._hub.publish(items)
            sent_total.labels("batch").inc(len(items))


def _explain(draft: Draft) -> Exception:
    with tenancy.use(draft.organization_id):
        return explain_refusal(draft)


@lru_cache(maxsize=8)
def _pool_of(loop: asyncio.AbstractEventLoop) -> PatientPool:  # noqa: ARG001 - the key
    return PatientPool("chatsystem-batcher", most=4)


async def get_pool() -> PatientPool:
    """Return the plain psycopg pool of the running event loop, for the hot paths."""
    pool = _pool_of(asyncio.get_running_loop())
    if pool.closed:
        await pool.open()
    return pool


_batchers: dict[asyncio.AbstractEventLoop, Batcher] = {}


async def get_batcher() -> Batcher:
    """Return the batcher of the running event loop."""
    loop = asyncio.get_running_loop()
    batcher = _batchers.get(loop)
    if batcher is None:
        for stale in [known for known in _batchers if known.is_closed()]:
            del _batchers[stale]
        batcher = _batchers.setdefault(loop, Batcher(await get_pool(), await get_hub()))
    return batcher


async def close() -> None:
    """Give back what the running event loop holds: its pool and its hub's connections."""
    _batchers.pop(asyncio.get_running_loop(), None)
    await _pool_of(asyncio.get_running_loop()).close()
    await (await get_hub()).stop()

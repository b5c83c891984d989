"""Connections that wait as long as the database answers somebody, and no longer."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from psycopg_pool import AsyncConnectionPool

from apps.core.database.pulse import parameters, pulse
from apps.core.database.waiting import WatchedAsyncConnection, WatchedConnection

# The pools double the pause between their tries, and would sleep for minutes after a server that was away for one.
RECONNECT_SECONDS = 2.0


class PatientConnection(WatchedConnection):
    """A connection for threads."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:  # psycopg's many parameters
        """Connect; while the server is silent only the pulse knocks, or it would wake up to a crowd at the door.

        Raises:
            Silent.
        """
        pulse.require()
        return super().connect(*args, **kwargs)

    def is_over(self) -> bool:
        """Return whether nobody is answered."""
        return pulse.is_silent


class PatientAsyncConnection(WatchedAsyncConnection):
    """A connection for the event loop."""

    @classmethod
    async def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect.

        Raises:
            Silent.
        """
        pulse.require()
        return await super().connect(*args, **kwargs)

    def is_over(self) -> bool:
        """Return whether nobody is answered."""
        return pulse.is_silent


class _EndingQueue:
    """What a worker of the pool gets its work from, until its task is cancelled."""

    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    async def get(self) -> Any:  # the pool's own kinds of work
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        return await self._queue.get()


class PatientPool(AsyncConnectionPool[PatientAsyncConnection]):
    """A pool for the event loop that gives nothing out while the database is silent; closed until it is opened."""

    def __init__(self, application_name: str, *, most: int) -> None:
        super().__init__(
            connection_class=PatientAsyncConnection, kwargs=parameters(application_name), min_size=1, max_size=most,
            timeout=3, reconnect_timeout=RECONNECT_SECONDS, max_idle=300, open=False,
        )  # fmt: skip

    @classmethod
    async def worker(cls, q: Any) -> None:  # a queue of the pool's own kinds of work
        """Work until told to stop, or cancelled.

        The pool takes a cancellation while it connects for a failed connection and goes on, and the loop that ends
        would wait for it for ever.
        """
        await super().worker(_EndingQueue(q))  # type: ignore[arg-type]  # it only gets

    async def getconn(self, timeout: float | None = None) -> PatientAsyncConnection:  # noqa: ASYNC109 - the pool's name
        """Return a connection.

        Raises:
            Silent.
            PoolTimeout.
        """
        pulse.require()
        return await super().getconn(timeout)

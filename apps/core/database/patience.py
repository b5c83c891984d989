"""Connections that wait as long as the database answers somebody, and no longer."""

from __future__ import annotations

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


class PatientPool(AsyncConnectionPool[PatientAsyncConnection]):
    """A pool for the event loop that gives nothing out while the database is silent; closed until it is opened."""

    def __init__(self, application_name: str, *, most: int) -> None:
        super().__init__(
            connection_class=PatientAsyncConnection, kwargs=parameters(application_name), min_size=1, max_size=most,
            timeout=3, reconnect_timeout=RECONNECT_SECONDS, max_idle=300, open=False,
        )  # fmt: skip

    async def getconn(self, timeout: float | None = None) -> PatientAsyncConnection:  # noqa: ASYNC109 - the pool's name
        """Return a connection.

        Raises:
            Silent.
            PoolTimeout.
        """
        pulse.require()
        return await super().getconn(timeout)

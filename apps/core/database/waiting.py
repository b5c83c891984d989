"""Connections whose waiting has an end of our choice, and that leave nothing open at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

from psycopg import AsyncConnection, Connection
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, OperationalError
from psycopg.waiting import READY_NONE

Result = TypeVar("Result")


class Silent(OperationalError):
    """The server takes what is sent and says nothing. What was sent may still be done when it goes on."""


class WatchedConnection(Connection[Any]):
    """A connection for threads that gives up when `is_over`."""

    def is_over(self) -> bool:
        """Return whether to give up; asked ten times a second while nothing comes."""
        raise NotImplementedError

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:  # psycopg's many parameters
        """Connect.

        Raises:
            ConnectionTimeout: without its trace, which would hold the open socket until the garbage is collected.
        """
        try:
            return super().connect(*args, **kwargs)
        except ConnectionTimeout as error:
            raise error.with_traceback(None) from None

    def wait(self, gen: PQGen[Result], *args: Any, **kwargs: Any) -> Result:  # psycopg's interval and timeout
        """Wait for the server; a statement that was given up has no end, so its connection is closed.

        Raises:
            Silent.
        """
        try:
            return super().wait(_watched(gen, self.is_over), *args, **kwargs)
        except Silent:
            self.close()
            raise


class WatchedAsyncConnection(AsyncConnection[Any]):
    """The same for the event loop."""

    def is_over(self) -> bool:
        """Return whether to give up."""
        raise NotImplementedError

    @classmethod
    async def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect.

        Raises:
            ConnectionTimeout.
        """
        try:
            return await super().connect(*args, **kwargs)
        except ConnectionTimeout as error:
            raise error.with_traceback(None) from None

    async def wait(self, gen: PQGen[Result], *args: Any, **kwargs: Any) -> Result:
        """Wait for the server.

        Raises:
            Silent.
        """
        try:
            return await super().wait(_watched(gen, self.is_over), *args, **kwargs)
        except Silent:
            await self.close()
            raise


def _watched(work: PQGen[Result], is_over: Callable[[], bool]) -> PQGen[Result]:
    """Hand on what psycopg's work and the socket say to each other, until it is over while nothing came."""
    try:
        wanted = next(work)
        while True:
            ready = yield wanted
            if ready == READY_NONE and is_over():
                raise Silent("the database does not answer")
            wanted = work.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result

"""Connections that look up from their silence: a caller that was told to stop ends a call within a quarter second.

A model may say nothing for half a minute. While a read waits, the caller's `check` runs four times a second; what it
raises ends the read and is raised again by whoever made the call, whatever the layers between made of it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import httpcore2
import httpx2

from apps.core.outbound.operator_transport import OperatorTransport

LOOK_SECONDS: Final = 0.25


@dataclass
class Watch:
    """One call: when it must be over, what the caller wants to be asked, and what it answered.

    Attributes:
        deadline: of `time.monotonic`.
        check: raises to end the call.
    """

    deadline: float
    check: Callable[[], object]
    raised: Exception | None = None

    def look(self) -> None:
        """Ask the caller.

        Raises:
            httpcore2.ReadError: it wants to leave; why is kept in `raised`.
        """
        try:
            self.check()
        except Exception as error:
            self.raised = error
            raise httpcore2.ReadError("the caller left") from error


_watch: ContextVar[Watch] = ContextVar("watch")


@contextmanager
def watching(*, deadline: float, check: Callable[[], object]) -> Iterator[None]:
    """Make a call in this context; raises what the check raised, in place of what became of it on the way."""
    watch = Watch(deadline, check)
    token = _watch.set(watch)
    try:
        yield
    except Exception:
        if watch.raised is not None:
            raise watch.raised from None
        raise
    finally:
        _watch.reset(token)


class WatchedTransport(OperatorTransport):
    """HTTP/1.1 to the operator's addresses, whose reads ask the caller and keep the deadline of the call."""

    def __init__(self, limits: httpx2.Limits) -> None:
        super().__init__(limits=limits)
        self._pool.close()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101 - the sync transport's own
        response.stream = _TimedBody(response.stream, _watch.get().deadline, request)
        return response


class _TimedBody(httpx2.SyncByteStream):
    """The body of an answer, read until the deadline of the call, however often the server shows a sign of life."""

    def __init__(self, body: httpx2.SyncByteStream, deadline: float, request: httpx2.Request) -> None:
        self._body, self._deadline, self._request = body, deadline, request

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            yield part
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the call's time is over", request=self._request)

    def close(self) -> None:
        self._body.close()


class _Backend(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    """A connection whose reads wait in slices; a slice that brought nothing has taken nothing away."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        over = time.monotonic() + timeout if timeout is not None else float("inf")
        while True:
            try:
                return self._stream.read(max_bytes, max(0.001, min(LOOK_SECONDS, over - time.monotonic())))
            except httpcore2.ReadTimeout:
                if time.monotonic() >= over:
                    raise
                _watch.get().look()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

"""uvicorn's HTTP protocol with an end to patience: the head of a request is bounded in size, number and time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apps.core.http import headers

LARGEST_HEAD_BYTES = 64 * 1024
MOST_HEADERS = 128
_END_OF_HEAD = b"\r\n\r\n"
HEAD_SECONDS = 20.0


class BoundedHttpProtocol(HttpToolsProtocol):
    """Ends connections whose head is too large, has too many lines or does not come to its end."""

    def connection_made(self, transport: Any) -> None:
        """Start the clock of the first head."""
        self._head_bytes = 0
        self._is_head = True
        self._patience: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head, then parse."""
        end = data.find(_END_OF_HEAD) if self._is_head else 0
        if self._is_head and self._is_too_large(end):
            return
        super().data_received(data)
        # Only now: an end cut in two by the network has been seen by the parser, and what follows it is body.
        if self._is_head and end < 0:
            self._head_bytes += len(data)
            self._is_too_large(0)

    def _is_too_large(self, more_bytes: int) -> bool:
        """Refuse a head that is too large with so many bytes more."""
        if self._head_bytes + more_bytes <= LARGEST_HEAD_BYTES or self.transport.is_closing():
            return False
        self.send_400_response("The head of the request is too large.")
        return True

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, with the headers of any other answer."""
        lines = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"cache-control: no-store\r\nconnection: close\r\n"
        )
        self.transport.write(
            lines + headers.raw() + b"content-length: %d\r\n\r\n%s" % (len(msg), msg.encode())
        )
        self.transport.close()

    def on_message_begin(self) -> None:
        """Start the clock of the next head."""
        super().on_message_begin()
        self._is_head = True
        self._start_clock()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the lines; an error in a callback of the parser is answered with 400."""
        if len(self.headers) >= MOST_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the body come as slowly as it likes: it holds no thread."""
        self._is_head = False
        self._head_bytes = 0
        self._stop_clock()
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._stop_clock()
        self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_clock(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

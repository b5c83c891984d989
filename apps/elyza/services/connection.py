"""One request to the model process and its answer, from a thread or from an event loop; each on a connection
of its own.

A connection to a Unix socket costs 0.1 ms, and closing it is how a caller that waited too long cancels its
request.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from apps.core import faults
from apps.elyza.protocol import HEAD_BYTES, BadFrame, Frame, parse_body, parse_head, read_frame, socket_path
from apps.elyza.types import Missing

if TYPE_CHECKING:
    from apps.elyza.protocol import Header
    from apps.elyza.types import Matrix

_STATES = {"loading": Missing.LOADING, "not_installed": Missing.NOT_INSTALLED, "failed": Missing.FAILED}


class NoAnswer(Exception):
    """The model process gave no usable answer; `reason` says why."""

    def __init__(self, reason: Missing, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


def exchange(*, url: str, header: Header, timeout_seconds: float) -> Frame:
    """Send one request and return its answer.

    Raises:
        NoAnswer: late, unreachable, refused or broken.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(_path(url))
            connection.sendall(Frame(header).encode())
            header_size, payload_size = parse_head(_receive(connection, HEAD_BYTES, deadline))
            body = _receive(connection, header_size + payload_size, deadline)
            return _accepted(parse_body(body[:header_size], body[header_size:]))
    except TimeoutError as error:
        raise NoAnswer(Missing.LATE) from error
    except OSError as error:
        raise NoAnswer(Missing.UNREACHABLE, faults.told(error)) from error
    except BadFrame as error:
        raise NoAnswer(Missing.FAILED, str(error)) from error


async def aexchange(*, url: str, header: Header, timeout_seconds: float) -> Frame:
    """As `exchange`, without holding a thread."""
    try:
        async with asyncio.timeout(timeout_seconds):
            reader, writer = await asyncio.open_unix_connection(_path(url))
            try:
                writer.write(Frame(header).encode())
                return _accepted(await read_frame(reader))
            finally:
                writer.close()
    except TimeoutError as error:
        raise NoAnswer(Missing.LATE) from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise NoAnswer(Missing.UNREACHABLE, faults.told(error)) from error
    except BadFrame as error:
        raise NoAnswer(Missing.FAILED, str(error)) from error


def matrix(frame: Frame) -> Matrix:
    """Return the float32 payload in the shape the header names.

    Raises:
        NoAnswer: the payload is not that large.
    """
    try:
        shape = (int(frame.header["rows"]), int(frame.header["columns"]))
        return np.frombuffer(frame.payload, "<f4").reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer(Missing.FAILED, "the payload does not fit its header") from error


def matrix_and_tokens(frame: Frame, *, token_bytes: int) -> tuple[Matrix, list[bytes] | None]:
    """Return the float32 rows, and behind them the token rows of each text: None where the answer counts none.

    Raises:
        NoAnswer: the payload is not that large.
    """
    counts = frame.header.get("tokens")
    if counts is None:
        return matrix(frame), None
    if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
        raise NoAnswer(Missing.FAILED, "tokens are no counts")
    start = len(frame.payload) - sum(counts) * token_bytes
    rows = matrix(Frame(frame.header, frame.payload[: max(start, 0)]))
    if start < 0 or len(counts) != len(rows):
        raise NoAnswer(Missing.FAILED, "tokens do not fit the rows")
    ends = [start + end * token_bytes for end in accumulate(counts, initial=0)]
    return rows, [frame.payload[one:other] for one, other in pairwise(ends)]


def _path(url: str) -> str:
    if not url:
        raise NoAnswer(Missing.UNREACHABLE, "no model process is configured")
    try:
        return socket_path(url)
    except ValueError as error:
        raise NoAnswer(Missing.UNREACHABLE, str(error)) from error


def _receive(connection: socket.socket, size: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(min(size - len(received), 1 << 18))
        if not part:
            raise ConnectionResetError("the model process closed the connection")
        received += part
    return bytes(received)


def _accepted(frame: Frame) -> Frame:
    if frame.header.get("ok") is not True:
        code = str(frame.header.get("code"))
        raise NoAnswer(_STATES.get(code, Missing.FAILED), f"{code}: {frame.header.get('detail')}")
    return frame

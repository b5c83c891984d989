"""Frames between a process and the model process: u32 length, u32 header length, JSON header, binary payload.

Both numbers are little-endian; the first counts everything after itself. A request header is `{"op": ...,
...}`; an answer header has `"ok"`, and with it `false` a `"code"` and a `"detail"`. Payloads are float32,
little-endian; behind them stand the token rows of each text where `"tokens"` counts them: float16 of a query, bits of
passages. A connection carries one request at a time; closing it cancels the request.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

MAX_FRAME_BYTES = 8 * 1024 * 1024
MAX_TEXTS = 1024
MAX_TEXT_CHARACTERS = 20_000
_HEAD = struct.Struct("<II")

Header = dict[str, Any]  # JSON: its keys depend on the operation


class BadFrame(Exception):
    """The other side does not speak this protocol, or sent too much; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One request or answer."""

    header: Header
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes that go over the socket.

        Raises:
            BadFrame: larger than the receiver would take.
        """
        header = json.dumps(self.header).encode("ascii")
        size = 4 + len(header) + len(self.payload)
        if size > MAX_FRAME_BYTES:
            raise BadFrame(f"frame of {size} bytes, at most {MAX_FRAME_BYTES}")
        return _HEAD.pack(size, len(header)) + header + self.payload


def parse_head(head: bytes) -> tuple[int, int]:
    """Return the lengths of header and payload that follow the first eight bytes."""
    size, header_size = _HEAD.unpack(head)
    if size > MAX_FRAME_BYTES:
        raise BadFrame(f"frame of {size} bytes, at most {MAX_FRAME_BYTES}")
    if not 2 <= header_size <= size - 4:
        raise BadFrame("the header's length does not fit the frame's")
    return header_size, size - 4 - header_size


def parse_body(header: bytes, payload: bytes) -> Frame:
    """Return the frame; the header must be a JSON object."""
    try:
        parsed = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise BadFrame("the header is not JSON") from error
    if not isinstance(parsed, dict):
        raise BadFrame("the header is not an object")
    return Frame(parsed, payload)


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Return the next frame of a stream.

    Raises:
        BadFrame: what arrived is no frame.
        asyncio.IncompleteReadError: the other side closed.
    """
    header_size, payload_size = parse_head(await reader.readexactly(_HEAD.size))
    body = await reader.readexactly(header_size + payload_size)
    return parse_body(body[:header_size], body[header_size:])


def socket_path(url: str) -> str:
    """Return the path of a `unix:///path` address.

    Raises:
        ValueError: any other address.
    """
    path = url.removeprefix("unix://")
    if path == url or not path.startswith("/"):
        raise ValueError(f"the model process listens on unix:///path, not on {url!r}")
    return path


HEAD_BYTES = _HEAD.size

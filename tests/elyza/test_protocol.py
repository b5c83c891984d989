"""Frames: what goes out comes back in, and nothing else is taken."""

import asyncio
import struct

import pytest

from apps.elyza.protocol import MAX_FRAME_BYTES, BadFrame, Frame, read_frame, socket_path


async def read(data: bytes) -> Frame:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_frame(reader)


async def test_a_frame_survives_the_way_there() -> None:
    frame = Frame({"op": "embed", "texts": ["Grüße 😀", ""]}, b"\x00\x01\xff")
    assert await read(frame.encode()) == frame


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (struct.pack("<II", MAX_FRAME_BYTES + 1, 2), "at most"),
        (struct.pack("<II", 10, 7) + b"{}12345678", "does not fit"),
        (struct.pack("<II", 5, 1) + b"1", "does not fit"),
        (struct.pack("<II", 6, 2) + b"[]", "not an object"),
        (struct.pack("<II", 6, 2) + b"{x", "not JSON"),
        (struct.pack("<II", 6, 2) + b"\xff\xfe", "not JSON"),
        (struct.pack("<II", 100_004, 100_000) + b"[" * 100_000, "not JSON"),
        (b"GET / HTTP/1.1\r\n", "at most"),
    ],
)
async def test_what_is_no_frame_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        await read(data)


async def test_a_cut_frame_is_told_from_a_bad_one() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read(Frame({"op": "health"}).encode()[:-1])


def test_a_frame_too_large_is_not_sent() -> None:
    with pytest.raises(BadFrame, match="at most"):
        Frame({"texts": ["x" * MAX_FRAME_BYTES]}).encode()


@pytest.mark.parametrize("url", ["", "unix://relative.sock", "http://127.0.0.1:1", "/run/model.sock"])
def test_only_socket_addresses_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="unix:///path"):
        socket_path(url)


def test_a_socket_address_names_its_path() -> None:
    assert socket_path("unix:///run/chat/model.sock") == "/run/chat/model.sock"

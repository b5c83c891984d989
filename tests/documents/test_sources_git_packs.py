"""Packs of Git as nobody should write them."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from dulwich.objects import Blob

from apps.documents.connectors import git_pack
from apps.documents.connectors.git_pack import TooMuch, read_pack
from apps.documents.errors import SourceFailed


def pack_of(*entries: bytes, count: int | None = None) -> bytes:
    whole = (
        b"PACK\0\0\0\2" + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries)
    )
    return whole + hashlib.sha1(whole, usedforsecurity=False).digest()


def entry(kind: int, data: bytes, *, size: int | None = None, base: bytes = b"") -> bytes:
    left = len(data) if size is None else size
    first, left = (kind << 4) | (left & 15), left >> 4
    head = bytearray()
    while left:
        head.append(first | 0x80)
        first, left = left & 0x7F, left >> 7
    return bytes(head) + bytes([first]) + base + zlib.compress(data)


def test_a_pack_that_says_less_than_it_holds_is_not_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)
    with pytest.raises(SourceFailed):
        read_pack(pack_of(bytes([0x30 | 1]) + bomb), most_bytes=1000)


def test_a_pack_larger_than_allowed_is_not_unpacked() -> None:
    with pytest.raises(TooMuch):
        read_pack(pack_of(entry(git_pack.BLOB, b"x" * 2000)), most_bytes=1000)
    with pytest.raises(TooMuch):
        read_pack(
            pack_of(*[entry(git_pack.BLOB, b"%03d" % n + b"x" * 97) for n in range(11)]), most_bytes=1000
        )
    with pytest.raises(TooMuch):
        read_pack(pack_of(entry(git_pack.BLOB, b"x", size=1 << 50)), most_bytes=1000)


def test_a_delta_that_grows_beyond_the_limit_is_not_followed() -> None:
    base = entry(git_pack.BLOB, b"x" * 100)
    growing = b"\x64" + b"\x90\x4e" + b"\x90\x64" * 100  # 100 bytes become 10,000
    back = bytes([len(base)])
    with pytest.raises(TooMuch):
        read_pack(pack_of(base, entry(6, growing, base=back)), most_bytes=1000)
    found = read_pack(pack_of(base, entry(6, growing, base=back)), most_bytes=100_000)
    assert sorted(len(stored.data) for stored in found.values()) == [100, 10_000]


@pytest.mark.parametrize(
    "pack",
    [
        pack_of(entry(5, b"x")), pack_of(entry(0, b"x")), pack_of(entry(7, b"x", base=b"\1" * 20)),
        pack_of(entry(6, b"x", base=b"\x7f")), pack_of(entry(6, b"\1\1\1x", base=b"\0")),
        pack_of(entry(3, b"x"), count=2), pack_of(count=0)[:-1], pack_of(entry(3, b"x"))[:-1] + b"!",
        pack_of(b"\xff" * 30), pack_of(entry(3, b"x" * 9), entry(6, b"\x09\x05\x91\x08\x05", base=b"\x11")),
        pack_of(entry(3, b"x" * 9), entry(6, b"\x09\x05\0", base=b"\x11")),
    ],
)  # fmt: skip
def test_a_damaged_pack_is_refused(pack: bytes) -> None:
    with pytest.raises(SourceFailed):
        read_pack(pack, most_bytes=1000)


def test_a_delta_before_its_base_is_resolved() -> None:
    blob = Blob.from_string(b"First words.")
    delta = b"\x0c\x06\x90\x05" + b"\x01!"
    found = read_pack(
        pack_of(entry(7, delta, base=bytes.fromhex(blob.id.decode())), entry(3, b"First words.")),
        most_bytes=1000,
    )
    assert sorted(stored.data for stored in found.values()) == [b"First words.", b"First!"]

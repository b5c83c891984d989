"""Read a Git pack in memory, never more of it than allowed; source: gitformat-pack(5).

A library's reader inflates whatever size a pack announces; this one counts first.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from apps.documents.errors import SourceError, SourceFailed

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
MOST_OBJECTS: Final = 200_000
_OFS_DELTA, _REF_DELTA = 6, 7
_NAMES: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
_HEAD: Final = 12
_ID_BYTES: Final = 20
_MOST_CHAIN: Final = 100
_LONGEST_NUMBER: Final = 9  # bytes of a size or an offset
_PIECE_BYTES: Final = 8192


@dataclass(frozen=True)
class Stored:
    """An object: its kind, and its content."""

    kind: int
    data: bytes


@dataclass(frozen=True)
class _Entry:
    kind: int
    data: bytes
    base: int | bytes | None  # an offset, or an id


class TooMuch(Exception):
    """The objects are larger than allowed."""


def read_pack(pack: bytes, *, most_bytes: int) -> dict[str, Stored]:
    """Return the objects of a pack by id, deltas resolved.

    Args:
        most_bytes: of all objects together, unpacked.

    Raises:
        TooMuch: found before more than that is held.
        SourceFailed: it is no pack, or needs an object it does not hold.
    """
    try:
        return _Pack(pack, most_bytes).objects()
    except (zlib.error, IndexError, ValueError) as error:
        raise SourceFailed(SourceError.NONSENSE) from error


class _Pack:
    def __init__(self, pack: bytes, most_bytes: int) -> None:
        self._pack, self._left = pack, most_bytes
        self._entries: dict[int, _Entry] = {}
        self._offsets: dict[bytes, int] = {}
        self._resolved: dict[int, Stored] = {}

    def objects(self) -> dict[str, Stored]:
        pack = self._pack
        if pack[:4] != b"PACK" or pack[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
            raise ValueError
        if hashlib.sha1(pack[:-_ID_BYTES], usedforsecurity=False).digest() != pack[-_ID_BYTES:]:
            raise ValueError
        count, at = int.from_bytes(pack[8:_HEAD], "big"), _HEAD
        if count > MOST_OBJECTS:
            raise TooMuch
        for _ in range(count):
            at = self._read(at)
        return dict(self._whole())

    def _read(self, at: int) -> int:
        """Keep the entry at an offset; return where the next one begins."""
        begun = at
        kind, size, at = self._header(at)
        base: int | bytes | None = None
        if kind == _OFS_DELTA:
            back, at = self._distance(at)
            base = begun - back
        elif kind == _REF_DELTA:
            base, at = self._pack[at : at + _ID_BYTES], at + _ID_BYTES
        elif kind not in _NAMES:
            raise ValueError
        self._take(size)
        data, at = self._inflated(at, size)
        self._entries[begun] = _Entry(kind, data, base)
        return at

    def _inflated(self, at: int, size: int) -> tuple[bytes, int]:
        """Return what is packed at an offset, of exactly this size, and where it ends."""
        unpack, made = zlib.decompressobj(), bytearray()
        end = len(self._pack) - _ID_BYTES
        while not unpack.eof:
            piece = self._pack[at : min(at + _PIECE_BYTES, end)]
            if not piece:
                raise ValueError
            at += len(piece)
            made += unpack.decompress(piece, size - len(made) + 1)
            if len(made) > size or unpack.unconsumed_tail:
                raise ValueError
        if len(made) != size:
            raise ValueError
        return bytes(made), at - len(unpack.unused_data)

    def _header(self, at: int) -> tuple[int, int, int]:
        """Return the kind of an entry and its size, and where they end."""
        byte = self._pack[at]
        kind, size = (byte >> 4) & 7, byte & 15
        if byte & 0x80:
            more, at = _number(self._pack, at + 1)
            return kind, size | more << 4, at
        return kind, size, at + 1

    def _distance(self, at: int) -> tuple[int, int]:
        """Return how far back the base of an entry begins, and where that number ends."""
        distance = -1
        for place in range(_LONGEST_NUMBER):
            byte = self._pack[at + place]
            distance = (distance + 1) << 7 | byte & 0x7F
            if not byte & 0x80:
                return distance, at + place + 1
        raise ValueError

    def _whole(self) -> Iterator[tuple[str, Stored]]:
        """Yield every object; bases that come later in the pack, too."""
        waiting = list(self._entries)
        for _ in range(_MOST_CHAIN):
            stuck = []
            for at in waiting:
                stored = self._resolve(at)
                if stored is None:
                    stuck.append(at)
                    continue
                digest = _id_of(stored)
                self._offsets[digest] = at
                yield digest.hex(), stored
            if not stuck:
                return
            waiting = stuck
        raise ValueError

    def _resolve(self, at: int) -> Stored | None:
        """Return an object, or None where its base is not known yet."""
        chain: list[int] = []
        while at not in self._resolved:
            entry = self._entries.get(at)
            if entry is None or len(chain) > _MOST_CHAIN:
                raise ValueError
            if entry.base is None:
                self._resolved[at] = Stored(entry.kind, entry.data)
                break
            chain.append(at)
            base = entry.base if isinstance(entry.base, int) else self._offsets.get(entry.base)
            if base is None:
                return None
            at = base
        stored = self._resolved[at]
        for at in reversed(chain):
            stored = Stored(stored.kind, self._patched(stored.data, self._entries[at].data))
            self._resolved[at] = stored
        return stored

    def _patched(self, base: bytes, delta: bytes) -> bytes:
        """Return what a delta makes of its base."""
        base_size, at = _number(delta, 0)
        size, at = _number(delta, at)
        if base_size != len(base):
            raise ValueError
        self._take(size)
        made = bytearray()
        while at < len(delta) and len(made) <= size:
            order, at = delta[at], at + 1
            if order & 0x80:
                begin, at = _scattered(delta, at, order & 0x0F)
                length, at = _scattered(delta, at, order >> 4 & 0x07)
                length = length or 0x10000
                piece = base[begin : begin + length]
            else:
                length = order
                piece, at = delta[at : at + order], at + order
            if not order or len(piece) != length:
                raise ValueError
            made += piece
        if len(made) != size:
            raise ValueError
        return bytes(made)

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooMuch


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_NUMBER):
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    raise ValueError


def _scattered(delta: bytes, at: int, present: int) -> tuple[int, int]:
    """Return a number of which only the bytes stand there whose bit is set, and where it ends."""
    value = 0
    for place in range(4):
        if present & (1 << place):
            value |= delta[at] << (8 * place)
            at += 1
    return value, at


def _id_of(stored: Stored) -> bytes:
    head = b"%s %d\0" % (_NAMES[stored.kind], len(stored.data))
    return hashlib.sha1(head + stored.data, usedforsecurity=False).digest()

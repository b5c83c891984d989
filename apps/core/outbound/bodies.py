"""A body is counted while it is read, packed and unpacked: what its headers say about its size is not believed."""

from __future__ import annotations

import zlib
from typing import Final

from apps.core.outbound.errors import FetchFailed, FetchTooLarge

_GZIP: Final = 16 + zlib.MAX_WBITS
PLAIN, PACKED = frozenset({"", "identity"}), frozenset({"gzip", "x-gzip"})


class Body:
    """Takes pieces as they come and keeps at most `limit` bytes of what they mean.

    Args:
        cut: an answer that is too long is cut instead of refused.
    """

    def __init__(self, *, encoding: str, limit: int, cut: bool = False) -> None:
        if encoding not in PLAIN | PACKED:
            raise FetchFailed
        self._unpack = zlib.decompressobj(_GZIP) if encoding in PACKED else None
        self._limit, self._cut = limit, cut
        self._kept = bytearray()
        self._read = 0

    @property
    def is_full(self) -> bool:
        """Return whether no more needs to be read."""
        return self._cut and len(self._kept) >= self._limit

    def take(self, piece: bytes) -> None:
        """Add a piece as it came from the wire.

        Raises:
            FetchTooLarge: packed or unpacked. FetchFailed: it cannot be unpacked.
        """
        self._read += len(piece)
        room = self._limit - len(self._kept)
        self._kept += piece if self._unpack is None else self._unpacked(piece, room + 1)
        if not self._cut and max(len(self._kept), self._read) > self._limit:
            raise FetchTooLarge(limit_kb=self._limit // 1024)

    def end(self) -> bytes:
        """Return the whole.

        Raises:
            FetchFailed: a packed body ended in the middle.
        """
        if self._unpack is not None and not (self._unpack.eof or self._cut):
            raise FetchFailed
        return bytes(self._kept[: self._limit])

    def _unpacked(self, piece: bytes, most: int) -> bytes:
        if self._unpack is None or self._unpack.eof:
            return b""
        try:
            return self._unpack.decompress(piece, max(most, 1))
        except zlib.error as error:
            raise FetchFailed from error

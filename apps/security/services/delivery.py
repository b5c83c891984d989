"""Answers that carry an export: streamed, and kept by nobody on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from django.http import StreamingHttpResponse

from apps.security.services import archive

BLOCK_BYTES = 256 * 1024


def archive_response(key: str) -> StreamingHttpResponse:
    """Return the answer that carries an archive; it is never kept by anybody on the way.

    Raises:
        FileNotFoundError: it was deleted.
    """
    return StreamingHttpResponse(
        _blocks(key),
        content_type="application/zip",
        headers={
            "Content-Disposition": 'attachment; filename="data.zip"',
            "Content-Length": str(archive.size_of(key)),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _blocks(key: str) -> AsyncIterator[bytes]:
    """Read in a thread, block by block; close when the reader leaves."""
    opened = await asyncio.to_thread(archive.open_archive, key)
    try:
        while block := await asyncio.to_thread(opened.read, BLOCK_BYTES):
            yield block
    finally:
        opened.close()

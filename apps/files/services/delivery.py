"""Answers that carry a file: safe headers, one range, nothing kept by shared caches, no file whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from typing import BinaryIO
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import parse_etags

from apps.files.sniffing import ACTIVE, INLINE, UNKNOWN
from apps.files.store import store
from apps.files.types import Content

BLOCK_BYTES = 256 * 1024
AT_ONCE_BYTES = 1024 * 1024  # smaller answers are not streamed
# A file is a stranger: it runs nothing, loads nothing and frames nothing, wherever it is opened.
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

Span = tuple[int, int]  # first and last byte, both included


async def file_response(
    request: HttpRequest, content: Content, *, as_attachment: bool = False, is_elsewhere: bool = False
) -> HttpResponseBase:
    """Answer with a file the caller may open: whole, one range, or "you have it already".

    Pixels, sound and moving pictures may be shown in place; everything else is saved, never shown.

    Args:
        as_attachment: have those saved too.
        is_elsewhere: this is the files' host, whose pictures our pages show across hosts.

    Raises:
        ContentMissing.
    """
    headers = _headers(content, as_attachment=as_attachment)
    if is_elsewhere:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if headers["ETag"] in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponse(status=304, headers=headers)
    file = await asyncio.to_thread(store().open, content.key)
    size = await asyncio.to_thread(file.seek, 0, 2)
    span = _wanted(request, size, headers["ETag"])
    if span is None:
        file.close()
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    first, last = span
    headers["Content-Length"] = str(last - first + 1)
    status = 200
    if (first, last) != (0, max(size - 1, -1)):
        headers["Content-Range"], status = f"bytes {first}-{last}/{size}", 206
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=status, headers=headers)
    if last - first < AT_ONCE_BYTES:
        return HttpResponse(await asyncio.to_thread(_read, file, span), status=status, headers=headers)
    return StreamingHttpResponse(_blocks(file, span), status=status, headers=headers)


def small_response(request: HttpRequest, data: bytes, *, media_type: str, key: str) -> HttpResponse:
    """Answer with a picture we made ourselves.

    Args:
        key: changes with the content.
    """
    headers = _headers(Content(key, len(data), media_type, ""), as_attachment=False)
    if headers["ETag"] in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(data, headers=headers)


def disposition(name: str, *, inline: bool) -> str:
    """Return the header that names a file: RFC 6266, the name in RFC 5987's form only, as any text fits there."""
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}" if name else kind


def _headers(content: Content, *, as_attachment: bool) -> dict[str, str]:
    inline = content.media_type in INLINE and not as_attachment
    return {
        # A page of ours that is tricked into naming a file as its script or style gets bytes, and runs none.
        "Content-Type": UNKNOWN if content.media_type in ACTIVE else content.media_type,
        "Content-Disposition": disposition(content.name, inline=inline),
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-cache",  # kept, and asked about each time: rights are checked again
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(content.key.encode()).hexdigest()[:32]}"',
    }


def _wanted(request: HttpRequest, size: int, etag: str) -> Span | None:
    """Return the one range that is asked for, else the whole; None when it lies outside (RFC 9110, section 14)."""
    whole = (0, size - 1)
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if found is None or found.group(0) == "bytes=-" or request.headers.get("If-Range", etag) != etag:
        return whole
    start, end = found.groups()
    if not start:
        length = min(int(end), size)
        return (size - length, size - 1) if length else None
    first, last = int(start), min(int(end or size - 1), size - 1)
    if first >= size or (end and int(end) < first):
        return None
    return first, last


def _read(file: BinaryIO, span: Span) -> bytes:
    with file:
        file.seek(span[0])
        return file.read(span[1] - span[0] + 1)


async def _blocks(file: BinaryIO, span: Span) -> AsyncIterator[bytes]:
    """Read in a thread, block by block; close when the reader leaves."""
    left = span[1] - span[0] + 1
    try:
        await asyncio.to_thread(file.seek, span[0])
        while left > 0:
            block = await asyncio.to_thread(file.read, min(BLOCK_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block
    finally:
        file.close()

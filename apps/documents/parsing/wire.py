"""Pages and outlines as plain data: for the pipe between processes, and for whoever stores a page as JSON.

What comes back is checked field by field, because the process that wrote it handled a stranger's file.
"""

from __future__ import annotations

import re
from typing import Any

from apps.documents.parsing.errors import ErrorCode
from apps.documents.parsing.types import Block, BlockKind, Box, Outline, PageFailed, ParsedPage, Span

_KINDS: tuple[BlockKind, ...] = ("heading", "paragraph", "table", "list", "code")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDTH = 6  # numbers of one span: char_start, char_end, x0, top, x1, bottom


def page_to_data(page: ParsedPage) -> dict[str, Any]:
    """JSON-ready; spans are one flat list, block texts are left to their offsets."""
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "text": page.text,
        "replaced": page.replaced,
        "blocks": [
            [
                block.kind,
                block.level,
                block.char_start,
                block.char_end,
                [_numbers(box) for box in block.boxes],
            ]
            for block in page.blocks
        ],
        "spans": [n for span in page.spans for n in (span.char_start, span.char_end, *_numbers(span.box))],
    }


def page_from_data(data: Any) -> ParsedPage:
    """The same page.

    Raises:
        ValueError, TypeError, KeyError: anything is missing, of another type or out of range.
    """
    number, text = _integer(data["number"]), _string(data["text"])
    spans = data["spans"]
    if len(spans) % _WIDTH:
        raise ValueError("spans")
    return ParsedPage(
        number=number,
        width=_optional(data["width"]),
        height=_optional(data["height"]),
        text=text,
        blocks=tuple(_block(entry, text, number) for entry in data["blocks"]),
        spans=tuple(_span(spans[at : at + _WIDTH], number, len(text)) for at in range(0, len(spans), _WIDTH)),
        replaced=_integer(data["replaced"]),
    )


def outline_to_data(outline: Outline) -> dict[str, Any]:
    return {"page_count": outline.page_count, "title": outline.title, "language": outline.language}


def outline_from_data(data: Any) -> Outline:
    """The same outline; raises like `page_from_data`."""
    title, language = data["title"], data["language"]
    return Outline(
        page_count=_integer(data["page_count"]),
        title=None if title is None else _string(title)[:300],
        language=language if language in {"de", "en"} else None,
    )


def failed_to_data(failed: PageFailed) -> dict[str, Any]:
    return {"number": failed.number, "code": failed.code.value}


def failed_from_data(data: Any) -> PageFailed:
    """The same failure; raises like `page_from_data`."""
    return PageFailed(_integer(data["number"]), ErrorCode(data["code"]))


def _numbers(box: Box) -> tuple[float, float, float, float]:
    return (box.x0, box.top, box.x1, box.bottom)


def _block(entry: Any, text: str, page: int) -> Block:
    kind, level, start, end, boxes = entry
    if kind not in _KINDS or not 0 <= _integer(start) <= _integer(end) <= len(text):
        raise ValueError("block")
    return Block(kind, text[start:end], start, end, tuple(_box(box, page) for box in boxes), _integer(level))


def _span(values: Any, page: int, length: int) -> Span:
    start, end, *corners = values
    if not 0 <= _integer(start) <= _integer(end) <= length:
        raise ValueError("span")
    return Span(start, end, _box(corners, page))


def _box(values: Any, page: int) -> Box:
    x0, top, x1, bottom = (_number(value) for value in values)
    return Box(page, x0, top, x1, bottom)


def _integer(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("integer")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e6 < value < 1e6:
        raise ValueError("number")
    return float(value)


def _optional(value: Any) -> float | None:
    return None if value is None else _number(value)


def _string(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value or _SURROGATE.search(value):
        raise ValueError("text")
    return value

"""What holds for every parsed page, whatever its format."""

from __future__ import annotations

import io

from apps.documents.parsing.sources import open_source
from apps.documents.parsing.types import DEFAULT_LIMITS, Limits, PageFailed, ParsedPage


def read(data: bytes, media_type: str, limits: Limits = DEFAULT_LIMITS) -> list[ParsedPage]:
    """All pages, parsed in this process; each is checked."""
    pages = read_all(data, media_type, limits)
    assert all(isinstance(page, ParsedPage) for page in pages), pages
    return [page for page in pages if isinstance(page, ParsedPage)]


def read_all(data: bytes, media_type: str, limits: Limits = DEFAULT_LIMITS) -> list[ParsedPage | PageFailed]:
    pages = list(open_source(io.BytesIO(data), media_type, limits).pages(1, None))
    for page in pages:
        if isinstance(page, ParsedPage):
            check(page)
    return pages


def check(page: ParsedPage) -> None:
    """Offsets are exact, in order and apart; boxes lie on the page; the text is fit for a database."""
    end = 0
    for block in page.blocks:
        assert page.text[block.char_start : block.char_end] == block.text
        assert block.text.strip()
        assert block.char_start >= end
        end = block.char_end
    assert not page.blocks or end == len(page.text)
    assert "\x00" not in page.text
    page.text.encode("utf-8")
    last = 0
    for span in page.spans:
        assert last <= span.char_start < span.char_end <= len(page.text)
        assert " " not in page.text[span.char_start : span.char_end]
        last = span.char_end
        assert page.width is not None
        assert page.height is not None
        assert -1 <= span.box.x0 <= span.box.x1 <= page.width + 1
        assert -1 <= span.box.top <= span.box.bottom <= page.height + 1


def kinds(pages: list[ParsedPage]) -> list[tuple[str, str]]:
    """Kind and text of every block."""
    return [(block.kind, block.text) for page in pages for block in page.blocks]

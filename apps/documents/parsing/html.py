"""HTML as blocks of plain text: what a reader of the page sees."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from apps.documents.parsing.building import table_text
from apps.documents.parsing.cleaning import decode
from apps.documents.parsing.types import BlockKind, RawBlock

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)
_LINE: Final = "\u2028"
_LISTS: Final = frozenset({"ul", "ol"})
_SKIPPED: Final = frozenset(
    {
        "script",
        "style",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "head",
        "select",
        "textarea",
        "nav",
    }
)
_BLOCKS: Final = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
            "div",
        ),
        *(
            "dl",
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "header",
            "hr",
            "html",
            "legend",
            "main",
        ),
        *("menu", "ol", "p", "section", "summary", "ul"),
    }
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}


@dataclass(frozen=True, slots=True)
class Html:
    """A page's title and its blocks, which are read as they are asked for."""

    title: str | None
    blocks: Iterator[RawBlock]


def read_html(data: bytes) -> Html:
    """Headings, paragraphs, lists, tables and code; no scripts, styles, navigation and hidden parts.

    Nothing is fetched, entities of a document type are not resolved. The encoding is the one the bytes
    show, then the declared one, then Windows-1252.
    """
    text = _decoded(data)
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        root = None  # nothing in it: no element at all
    if root is None:
        return Html(None, iter(()))
    title = root.find(".//title")
    return Html((_flat(title) or None) if title is not None else None, _HtmlReader().blocks(root))


def _decoded(data: bytes) -> str:
    found = decode(data)
    declared = _CHARSET.search(data[:2_048])
    if found.encoding == "cp1252" and declared:
        with contextlib.suppress(LookupError, ValueError):  # an unknown name: keep what was found
            return data.decode(declared[1].decode("ascii"), errors="replace")
    return found.text


class _HtmlReader:
    """Collects running text until an element that stands alone begins or ends; walks without recursion."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def blocks(self, root: Any) -> Iterator[RawBlock]:
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            element, closing = stack.pop()
            if closing:
                if element.tag in _BLOCKS:
                    yield from self._flush()
                self._text.append(element.tail or "")
                continue
            whole = self._whole(element)
            if whole is not None:
                yield from self._flush()
                yield from whole
                self._text.append(element.tail or "")
                continue
            if element.tag in _BLOCKS:
                yield from self._flush()
            self._text.append(_LINE if element.tag == "br" else element.text or "")
            stack.append((element, True))
            stack.extend((child, False) for child in reversed(element))
        yield from self._flush()

    def _whole(self, element: Any) -> Iterable[RawBlock] | None:
        """Blocks of an element that is read as one; None: go into it."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED or _hidden(element):
            return ()
        if tag in _HEADINGS:
            return _one("heading", _flat(element), _HEADINGS[tag])
        if tag == "pre":
            return _one("code", "".join(element.itertext()))
        if tag in _LISTS and not element.xpath(".//table|.//pre|.//h1|.//h2|.//h3|.//h4"):
            return _one("list", "\n".join(_list_items(element)))
        if tag == "table" and not element.xpath(".//table"):
            rows = [[_flat(cell) for cell in row.xpath("./td|./th")] for row in element.iter("tr")]
            return _one("table" if len(rows) > 1 else "paragraph", table_text(rows))
        return None

    def _flush(self) -> Iterator[RawBlock]:
        text = "\n".join(" ".join(line.split()) for line in "".join(self._text).split(_LINE)).strip()
        self._text = []
        if text:
            yield RawBlock("paragraph", text)


def _one(kind: BlockKind, text: str, level: int = 0) -> Iterable[RawBlock]:
    return (RawBlock(kind, text, level),) if text.strip() else ()


def _hidden(element: Any) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.get("hidden") is not None or "display:none" in style or "visibility:hidden" in style


def _flat(element: Any, leaving: frozenset[str] = frozenset()) -> str:
    """The visible text of an element as one line, without elements named in `leaving`."""
    parts: list[str] = []
    stack: list[tuple[Any, bool]] = [(element, False)]
    while stack:
        part, closing = stack.pop()
        skipped = (
            not isinstance(part.tag, str) or part.tag in _SKIPPED or part.tag in leaving or _hidden(part)
        )
        if not closing and (part is element or not skipped):
            parts.append(" " if part.tag == "br" else part.text or "")
            stack.append((part, True))
            stack.extend((child, False) for child in reversed(part))
        elif part is not element:
            parts.append(part.tail or "")
    return " ".join("".join(parts).split())


def _list_items(root: Any) -> Iterator[str]:
    outer = sum(1 for _ in root.iterancestors(*_LISTS)) + 1
    numbers: Counter[Any] = Counter()
    for item in root.iter("li"):
        text = _flat(item, leaving=_LISTS)
        if not text:
            continue
        parent = item.getparent()
        numbers[parent] += 1
        marker = f"{numbers[parent]}. " if parent.tag == "ol" else "- "
        depth = sum(1 for _ in item.iterancestors(*_LISTS)) - outer
        yield "  " * max(depth, 0) + marker + text

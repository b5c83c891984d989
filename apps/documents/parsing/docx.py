"""Word documents: headings, paragraphs, lists and tables in reading order, read from the XML parts alone.

Only text parts are opened: pictures, macros, embedded objects and linked files are never touched. Text that
was deleted under change tracking is left out, inserted text counts.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from lxml import etree

from apps.documents.parsing.archive import check_parts, open_archive
from apps.documents.parsing.building import table_text
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import BlockKind, Limits, RawBlock

_MAIN: Final = "word/document.xml"
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre)\s*([1-9])", re.IGNORECASE)
_LEFT_OUT: Final = frozenset(
    {"del", "moveFrom", "Fallback", "instrText", "delText", "txbxContent", "pPr", "rPr", "sectPr"}
)
_ORDERED: Final = frozenset(
    {"decimal", "lowerLetter", "upperLetter", "lowerRoman", "upperRoman", "decimalZero"}
)


class DocxReader:
    """One document: styles and list formats are read first, then the body as it goes."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        with open_archive(file, limits) as archive:
            check_parts(archive, limits)
            self._body = _part(archive, _MAIN, required=True)
            self._headings = _heading_styles(_part(archive, "word/styles.xml"))
            self._list_styles = _list_styles(_part(archive, "word/styles.xml"))
            self._formats = _list_formats(_part(archive, "word/numbering.xml"))
            self.title = _title(_part(archive, "docProps/core.xml"))
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._items: list[str] = []

    def blocks(self) -> Iterator[RawBlock]:
        """Blocks in order; neighbouring list items become one list."""
        body = _child(self._body, "body")
        if body is None:
            raise ParseError(ErrorCode.CORRUPT)
        for element in _flow(body):
            if _name(element) == "tbl":
                yield from self._flush()
                yield _table(element)
            else:
                yield from self._paragraph(element)
        yield from self._flush()

    def _paragraph(self, paragraph: Any) -> Iterator[RawBlock]:
        text = _text(paragraph)
        if not text.strip():
            return
        properties = _child(paragraph, "pPr")
        style = _value(_child(properties, "pStyle")) or ""
        level = _outline_level(properties) or self._headings.get(style, 0)
        if level:
            yield from self._flush()
            yield RawBlock("heading", " ".join(text.split()), level)
            return
        number, depth = _numbering(properties)
        if number is None and style in self._list_styles:
            number = self._list_styles[style]
        if number is not None and number != "0":
            self._items.append("  " * depth + self._marker(number, depth) + " ".join(text.split()))
            return
        yield from self._flush()
        kind: BlockKind = "code" if "code" in style.lower() else "paragraph"
        yield RawBlock(kind, text)

    def _marker(self, number: str, depth: int) -> str:
        if self._formats.get((number, depth)) not in _ORDERED:
            return "- "
        self._numbers[number, depth] += 1
        for deeper in range(depth + 1, 9):
            self._numbers[number, deeper] = 0
        return f"{self._numbers[number, depth]}. "

    def _flush(self) -> Iterator[RawBlock]:
        if self._items:
            yield RawBlock("list", "\n".join(self._items))
            self._items = []


def _part(archive: zipfile.ZipFile, name: str, *, required: bool = False) -> Any:
    """The root of an XML part; None where an optional part is missing."""
    if name not in archive.namelist():
        if required:
            raise ParseError(ErrorCode.CORRUPT)
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(archive.read(name), parser)
    except etree.XMLSyntaxError as error:
        raise ParseError(ErrorCode.CORRUPT) from error


def _name(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _child(element: Any, name: str) -> Any:
    """The first child of that local name, None where the element or the child is missing."""
    if element is None:
        return None
    return next((child for child in element if _name(child) == name), None)


def _attribute(element: Any, name: str) -> str | None:
    if element is None:
        return None
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


def _value(element: Any) -> str | None:
    return _attribute(element, "val")


def _integer(element: Any) -> int | None:
    value = _value(element)
    return int(value) if value is not None and value.isdecimal() else None


def _flow(body: Any) -> Iterator[Any]:
    """Paragraphs and tables, also those inside content controls and inserted ranges."""
    stack = list(reversed(body))
    while stack:
        element = stack.pop()
        name = _name(element)
        if name in {"p", "tbl"}:
            yield element
        elif name in {"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"}:
            stack.extend(reversed(element))


def _text(element: Any) -> str:
    """The text of a paragraph; tabs and line breaks are kept."""
    parts: list[str] = []
    stack = [element]
    while stack:
        part = stack.pop()
        name = _name(part)
        if name in _LEFT_OUT and part is not element:
            continue
        if name == "t":
            parts.append(part.text or "")
        elif name in {"tab", "ptab"}:
            parts.append("\t")
        elif name in {"br", "cr"}:
            parts.append("\n")
        elif name in {"noBreakHyphen", "softHyphen"}:
            parts.append("-" if name == "noBreakHyphen" else "")
        else:
            stack.extend(reversed(part))
    return "".join(parts)


def _table(table: Any) -> RawBlock:
    rows = []
    for row in _descendants(table, "tr", {"tbl"}):
        cells = []
        for cell in _descendants(row, "tc", {"tbl", "tr"}):
            merge = _child(_child(cell, "tcPr"), "vMerge")
            goes_on = merge is not None and _value(merge) != "restart"
            cells.append(
                ""
                if goes_on
                else " ".join(_text(paragraph) for paragraph in cell.iter() if _name(paragraph) == "p")
            )
        rows.append(cells)
    return RawBlock("table" if len(rows) > 1 else "paragraph", table_text(rows))


def _descendants(element: Any, name: str, borders: set[str]) -> Iterator[Any]:
    """Elements of that name that do not stand inside a nested table."""
    stack = list(reversed(element))
    while stack:
        part = stack.pop()
        if _name(part) == name:
            yield part
        elif _name(part) not in borders:
            stack.extend(reversed(part))


def _outline_level(properties: Any) -> int | None:
    level = _integer(_child(properties, "outlineLvl"))
    return level + 1 if level is not None and level < 9 else None


def _numbering(properties: Any) -> tuple[str | None, int]:
    """The list a paragraph belongs to and its depth, 0 to 8."""
    numbering = _child(properties, "numPr")
    return _value(_child(numbering, "numId")), min(_integer(_child(numbering, "ilvl")) or 0, 8)


def _styles(root: Any) -> Iterator[tuple[str, str, Any]]:
    for style in root if root is not None else ():
        if _name(style) == "style":
            yield _attribute(style, "styleId") or "", _value(_child(style, "name")) or "", style


def _heading_styles(root: Any) -> dict[str, int]:
    """Style id to heading level, by outline level or name, inherited along `basedOn`."""
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style_id, name, style in _styles(root):
        parents[style_id] = _value(_child(style, "basedOn")) or ""
        named = _HEADING_NAME.fullmatch(name.strip())
        level = int(named[1]) if named else _outline_level(_child(style, "pPr"))
        if name.lower() in {"title", "titel"}:
            level = 1
        if level:
            levels[style_id] = level
    for style_id, parent in parents.items():
        seen, current = {style_id}, parent
        while style_id not in levels and current in parents and current not in seen:
            seen.add(current)
            if current in levels:
                levels[style_id] = levels[current]
            current = parents[current]
    return levels


def _list_styles(root: Any) -> dict[str, str]:
    """Style id to the list that the style itself names, or to an unordered one for "List ..." styles."""
    found: dict[str, str] = {}
    for style_id, name, style in _styles(root):
        number, _ = _numbering(_child(style, "pPr"))
        if number is not None:
            found[style_id] = number
        elif name.lower().startswith(("list bullet", "list number")):
            found[style_id] = "-1"
    return found


def _list_formats(root: Any) -> dict[tuple[str, int], str]:
    """Number format of each list and depth."""
    abstract: dict[str, dict[int, str]] = {}
    formats: dict[tuple[str, int], str] = {}
    for element in root if root is not None else ():
        if _name(element) == "abstractNum":
            levels = [level for level in element if _name(level) == "lvl"]
            abstract[_attribute(element, "abstractNumId") or ""] = {
                depth: _value(_child(level, "numFmt")) or "" for depth, level in enumerate(levels)
            }
        elif _name(element) == "num":
            used = abstract.get(_value(_child(element, "abstractNumId")) or "", {})
            for depth, number_format in used.items():
                formats[_attribute(element, "numId") or "", depth] = number_format
    return formats


def _title(root: Any) -> str | None:
    title = _child(root, "title")
    text = "" if title is None else " ".join((title.text or "").split())
    return text or None

"""Plain text: paragraphs between blank lines, lists and headings by their looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.documents.parsing.types import RawBlock

_LIST_ITEM = re.compile(r"\s*(?:[-*•‣▪–]|\d{1,3}[.)]|[a-z]\))\s+\S")
_UNDERLINE = re.compile(r"(=|-|~|\*|_)\1{2,}\s*")
_NUMBERED = re.compile(r"(?:\d{1,2}\.)+\d{0,2}\s+[^\W\d_]|\d{1,2}(?:\.\d{1,2})+\s+[^\W\d_]")
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")


def read_text(text: str) -> Iterator[RawBlock]:
    """Blocks in order; lines inside a paragraph stay as they are."""
    start = 0
    for border in _BLANK.finditer(text):
        yield from _paragraph(text[start : border.start()])
        start = border.end() - _indent(text, border.end())
    yield from _paragraph(text[start:])


def _indent(text: str, position: int) -> int:
    """The blanks in front of the first word of a paragraph belong to it."""
    return position - (text.rfind("\n", 0, position) + 1)


def _paragraph(raw: str) -> Iterator[RawBlock]:
    lines = [line.rstrip() for line in raw.strip("\n").split("\n")]
    if not any(lines):
        return
    if len(lines) >= 2 and _UNDERLINE.fullmatch(lines[1].strip()) and len(lines[0]) <= 120:
        yield RawBlock("heading", lines[0], 1 if lines[1].strip()[0] == "=" else 2)
        lines = lines[2:]
    elif len(lines) == 1 and _is_heading(lines[0].strip()):
        yield RawBlock("heading", lines[0], _level(lines[0].strip()))
        return
    body = "\n".join(lines)
    if body.strip():
        yield RawBlock("list" if _is_list(lines) else "paragraph", body)


def _is_list(lines: list[str]) -> bool:
    items = sum(1 for line in lines if _LIST_ITEM.match(line))
    return bool(_LIST_ITEM.match(lines[0])) and (items >= 2 or len(lines) == 1)


def _is_heading(line: str) -> bool:
    if len(line) > 90 or line.endswith((".", ",", ";", "?", "!")):
        return False
    letters = [character for character in line if character.isalpha()]
    loud = len(letters) >= 4 and all(character.isupper() for character in letters)
    return loud or bool(_NUMBERED.match(line))


def _level(line: str) -> int:
    number = line.split(maxsplit=1)[0].rstrip(".")
    return number.count(".") + 1 if number.replace(".", "").isdigit() else 1

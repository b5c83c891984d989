"""Markdown as blocks of plain text: marks go, words stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.documents.parsing.building import table_text
from apps.documents.parsing.types import RawBlock

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)


def read_markdown(text: str) -> Iterator[RawBlock]:
    """CommonMark with tables and strikethrough; raw HTML in it is left out, front matter too."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 50}).enable(["table", "strikethrough"])
    yield from _MarkdownReader(parser.parse(_FRONT_MATTER.sub("", text, count=1))).blocks()


class _MarkdownReader:
    """Walks the flat list of tokens; lists and tables are collected until they close."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._items: list[str] = []
        self._rows: list[list[str]] = []
        self._counters: list[int | None] = []
        self._marker = ""

    def blocks(self) -> Iterator[RawBlock]:
        level = 0
        for token in self._tokens:
            if token.type == "heading_open":
                level = int(token.tag[1])
            elif token.type == "inline":
                yield from self._inline(token, level)
            elif token.type == "heading_close":
                level = 0
            elif token.type in {"fence", "code_block"}:
                yield RawBlock("code", token.content)
            else:
                yield from self._structure(token)

    def _inline(self, token: Token, level: int) -> Iterator[RawBlock]:
        text = _inline_text(token)
        if self._rows:
            self._rows[-1].append(text)
        elif self._counters:
            indent = "  " * (len(self._counters) - 1)
            self._items.append(f"{indent}{self._marker}{text}")
            self._marker = " " * len(self._marker)
        elif level:
            yield RawBlock("heading", text, level)
        else:
            yield RawBlock("paragraph", text)

    def _structure(self, token: Token) -> Iterator[RawBlock]:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            start = token.attrGet("start")
            self._counters.append(int(start or 1) if token.type == "ordered_list_open" else None)
        elif token.type == "list_item_open":
            number = self._counters[-1]
            self._marker = "- " if number is None else f"{number}. "
            self._counters[-1] = None if number is None else number + 1
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._counters.pop()
            if not self._counters:
                yield RawBlock("list", "\n".join(self._items))
                self._items = []
        elif token.type == "tr_open":
            self._rows.append([])
        elif token.type == "table_close":
            yield RawBlock("table", table_text(self._rows))
            self._rows = []


def _inline_text(token: Token) -> str:
    parts = []
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            parts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type in {"text", "code_inline", "image"}:
            parts.append(child.content)
    return "".join(parts)

"""Pages to chunks: pieces that fit the encoder's window, keep to sentences and know where they stand.

A chunk never spans two pages. It opens with its heading where one stands above it, ends at a paragraph if
that leaves it half full, else at a sentence. A table that does not fit goes on with its first row in front
of each further chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from apps.core.text.language import Language, guess
from apps.core.text.sentences import split_sentences
from apps.documents.parsing.tokens import BUDGET_TOKENS, estimate_tokens
from apps.documents.parsing.types import Block, Box, ParsedPage

_HALF: Final = 0.5
_SECTION: Final = 0.3
_MAIN_LEVEL: Final = 2
_PREFIX_SHARE: Final = 0.3
_CONTEXT_CHARACTERS: Final = 120
_CONTEXT_HEADINGS: Final = 2
_CONTEXT_TOKENS: Final = 48  # 120 characters of German, rounded up
_PATH_DEPTH: Final = 5
_HEADING_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one page: `text[prefix_length:] == page.text[char_start:char_end]`.

    Attributes:
        prefix_length: code points of `text` that repeat a table's first row; 0 elsewhere.
        boxes: one for each line, empty for logical pages.
        heading_path: the headings above, outermost first.
        language: of this piece, else of its page; None where neither tells.
    """

    text: str
    page: int
    char_start: int
    char_end: int
    boxes: tuple[Box, ...]
    heading_path: tuple[str, ...]
    prefix_length: int = 0
    language: Language | None = None

    @property
    def context(self) -> str:
        """The last headings that the text itself does not open with, at most 120 characters; may be empty."""
        return _context(self.heading_path, self.text)

    @property
    def embedding_text(self) -> str:
        """What to embed: the context as a first line, then the text. Fits the window."""
        return f"{self.context}\n{self.text}" if self.context else self.text


def chunks(pages: Iterable[ParsedPage], *, language: Language | None = None) -> list[Chunk]:
    """The chunks of consecutive pages; for single pages of one document keep a `Chunker`.

    Args:
        language: of the document, for pages too short to tell.
    """
    chunker = Chunker(language=language)
    return [chunk for page in pages for chunk in chunker.page(page)]


@dataclass(slots=True)
class Chunker:
    """Cuts page after page; `path` carries the open headings (level, text) from one page to the next."""

    language: Language | None = None
    path: list[tuple[int, str]] = field(default_factory=list)

    def page(self, page: ParsedPage) -> list[Chunk]:
        """The chunks of the next page, in order and without overlap."""
        cutter = _Cutter(page, guess(page.text) or self.language, self.path)
        return list(cutter.chunks())


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is not cut: a sentence, a row, a line, a heading. `prefix` goes in front where a chunk begins with it."""

    start: int
    end: int
    tokens: float
    opens_block: bool
    path: tuple[str, ...]
    is_heading: bool = False
    prefix: str = ""


class _Cutter:
    def __init__(self, page: ParsedPage, language: Language | None, path: list[tuple[int, str]]) -> None:
        self._page = page
        self._language = language
        self._path = path
        self._atoms: list[_Atom] = []
        self._tokens = 0.0
        self._budget = float(BUDGET_TOKENS)

    def chunks(self) -> Iterator[Chunk]:
        for block in self._page.blocks:
            if block.kind == "heading":
                if self._closes_section(block):
                    yield from self._flush()
                self._enter(block)
            atoms = list(self._block_atoms(block))
            whole = sum(atom.tokens for atom in atoms)
            if block.kind == "table" and self._tokens + whole > self._budget and self._has_body():
                yield from self._flush()
            for atom in atoms:
                while self._atoms and self._tokens + atom.tokens > self._budget:
                    yield from self._overflow()
                self._append(atom)
        yield from self._flush()

    def _append(self, atom: _Atom) -> None:
        if not self._atoms:
            self._budget = BUDGET_TOKENS - self._outside(atom)
        self._atoms.append(atom)
        self._tokens += atom.tokens

    def _outside(self, atom: _Atom) -> float:
        """What stands in front of a chunk that begins here: context and a repeated row."""
        context = _context(atom.path, self._page.text[atom.start : atom.end])
        return self._estimate(context) + self._estimate(atom.prefix)

    def _estimate(self, text: str) -> float:
        return estimate_tokens(text, self._language)

    def _closes_section(self, heading: Block) -> bool:
        if not self._has_body():
            return False
        return heading.level <= _MAIN_LEVEL or self._tokens >= _SECTION * self._budget

    def _has_body(self) -> bool:
        return not all(atom.is_heading for atom in self._atoms)

    def _enter(self, heading: Block) -> None:
        while self._path and self._path[-1][0] >= heading.level:
            self._path.pop()
        self._path.append((heading.level, " ".join(heading.text.split())[:_HEADING_CHARACTERS]))
        del self._path[:-_PATH_DEPTH]

    def _overflow(self) -> Iterator[Chunk]:
        """Close the chunk: at the last paragraph that leaves it half full, and never behind a lone heading."""
        cut = len(self._atoms)
        filled = self._tokens
        for index in range(len(self._atoms) - 1, 0, -1):
            filled -= self._atoms[index].tokens
            if filled < _HALF * self._budget:
                break
            if self._atoms[index].opens_block:
                cut = index
                break
        while cut > 1 and self._atoms[cut - 1].is_heading:
            cut -= 1
        yield from self._flush(cut)

    def _flush(self, cut: int | None = None) -> Iterator[Chunk]:
        """A chunk of the first atoms; the others open the next one."""
        taken, rest = (self._atoms, []) if cut is None else (self._atoms[:cut], self._atoms[cut:])
        if taken:
            yield self._chunk(taken)
        self._atoms, self._tokens = [], 0.0
        for atom in rest:
            self._append(atom)

    def _chunk(self, atoms: list[_Atom]) -> Chunk:
        start, end = atoms[0].start, atoms[-1].end
        body = self._page.text[start:end]
        prefix = atoms[0].prefix
        return Chunk(
            text=prefix + body,
            page=self._page.number,
            char_start=start,
            char_end=end,
            boxes=self._page.boxes(start, end),
            heading_path=next((atom.path for atom in atoms if not atom.is_heading), atoms[-1].path),
            prefix_length=len(prefix),
            language=guess(body) or self._language,
        )

    def _block_atoms(self, block: Block) -> Iterator[_Atom]:
        prefix = self._header(block)
        path = tuple(text for _, text in self._path)
        room = BUDGET_TOKENS - self._estimate(prefix) - _CONTEXT_TOKENS
        first = True
        for start, end in self._ranges(block):
            for piece_start, piece_end, tokens in self._fitting(
                block.char_start + start, block.char_start + end, room
            ):
                yield _Atom(
                    start=piece_start,
                    end=piece_end,
                    tokens=tokens,
                    opens_block=first,
                    path=path,
                    is_heading=block.kind == "heading",
                    prefix="" if first else prefix,
                )
                first = False

    def _header(self, block: Block) -> str:
        """The first row of a table, to be repeated, unless it is too long for that."""
        header, more, _ = block.text.partition("\n")
        if block.kind != "table" or not more or self._estimate(header) > _PREFIX_SHARE * BUDGET_TOKENS:
            return ""
        return header + "\n"

    def _ranges(self, block: Block) -> Iterator[tuple[int, int]]:
        if block.kind == "heading":
            yield 0, len(block.text)
        elif block.kind == "paragraph":
            for sentence in split_sentences(block.text, language=self._language):
                yield sentence.start, sentence.end
        else:
            start = 0
            for line in block.text.split("\n"):
                if line.strip():
                    yield start, start + len(line)
                start += len(line) + 1

    def _fitting(self, start: int, end: int, room: float) -> Iterator[tuple[int, int, float]]:
        """The range, or pieces of it between words (at last between letters) that each fit."""
        text = self._page.text
        tokens = self._estimate(text[start:end])
        if tokens <= room:
            yield start, end, tokens
            return
        parts = int(tokens / room) + 1
        size = max((end - start) // parts, 1)
        while start < end:
            border = min(start + size, end)
            while border > start + 1 and self._estimate(text[start:border]) > room:
                border = start + max(int(0.8 * (border - start)), 1)
            if border < end:
                border = (
                    max(text.rfind(" ", start + 1, border), text.rfind("\n", start + 1, border)) + 1 or border
                )
            stop = start + len(text[start:border].rstrip())
            if stop > start:
                yield start, stop, self._estimate(text[start:stop])
            start = border


def _context(path: tuple[str, ...], text: str) -> str:
    """Headings from the innermost outwards until one stands in the text or there is no more room."""
    shown: list[str] = []
    opening = " ".join(text[: _CONTEXT_CHARACTERS * 2].split())
    for heading in reversed(path):
        if heading in opening:
            continue
        if len(shown) == _CONTEXT_HEADINGS or sum(map(len, shown)) + len(heading) > _CONTEXT_CHARACTERS:
            break
        shown.insert(0, heading)
    return " – ".join(shown)

"""Words, ruled lines and pictures of one page, read from PDFium's C interface."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2.raw as pdfium

from apps.documents.parsing.cleaning import clean
from apps.documents.parsing.pdf.geometry import Frame, Word

_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_FIXED_NAME = re.compile(rb"courier|mono|consol|typewriter|cmtt", re.IGNORECASE)
_FIXED_PITCH: Final = 1
_FORCE_BOLD: Final = 1 << 18
_BOLD_WEIGHT: Final = 600
_HYPHENS: Final = frozenset({0x02, 0xFFFE})
_BLANKS: Final = frozenset({0, 9, 10, 13, 32, 0xA0})
_OBJECTS: Final = 20_000
_DEPTH: Final = 4
_RULE: Final = 1.5  # a line may lean or be as thick as this many points
_RULE_LENGTH: Final = 6.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn straight line: `position` is y of a horizontal one, x of a vertical one."""

    horizontal: bool
    position: float
    start: float
    end: float


@dataclass(slots=True)
class Drawing:
    """What a page draws besides text."""

    rules: list[Rule]
    pictures: int = 0
    shapes: int = 0
    complete: bool = True


@dataclass(slots=True)
class _OpenWord:
    letters: list[str]
    left: float
    bottom: float
    right: float
    top: float
    index: int


def page_frame(page: Any) -> Frame:
    """The crop box and rotation of a page."""
    left, bottom, right, top = page.get_bbox()
    return Frame(left, bottom, right, top, page.get_rotation())


def read_words(text_page: Any, frame: Frame) -> list[Word]:
    """All words in the order of the file.

    A word ends at a blank, at one that PDFium adds between distant letters, or where the next letter stands
    elsewhere.
    """
    reader = _WordReader(text_page, frame)
    return list(reader.words())


class _WordReader:
    def __init__(self, text_page: Any, frame: Frame) -> None:
        self._page = text_page.raw
        self._seen = frame.seen()
        self._rotation = frame.rotation
        self._width, self._height = frame.width, frame.height
        self._rect = pdfium.FS_RECTF()
        self._font = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def words(self) -> Iterator[Word]:
        page, rect = self._page, self._rect
        unicode_of, box_of = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
        word: _OpenWord | None = None
        for index in range(pdfium.FPDFText_CountChars(page)):
            code = unicode_of(page, index)
            if code in _BLANKS:
                if word is not None:
                    yield from self._closed(word)
                    word = None
                continue
            if not box_of(page, index, rect):
                continue
            letter = "-" if code in _HYPHENS else chr(code) if code <= 0x10FFFF else "\ufffd"
            if word is not None and self._goes_on(word):
                word.letters.append(letter)
                word.left, word.right = min(word.left, rect.left), max(word.right, rect.right)
                word.bottom, word.top = min(word.bottom, rect.bottom), max(word.top, rect.top)
                continue
            if word is not None:
                yield from self._closed(word)
            word = _OpenWord([letter], rect.left, rect.bottom, rect.right, rect.top, index)
        if word is not None:
            yield from self._closed(word)

    def _goes_on(self, word: _OpenWord) -> bool:
        """Whether the letter in the rectangle touches the word, along the line or down a turned one."""
        rect = self._rect
        height = word.top - word.bottom
        near = max(0.35 * min(height, rect.top - rect.bottom), 1.0)
        beside = (
            min(word.top, rect.top) > max(word.bottom, rect.bottom)
            and word.left - near < rect.left < word.right + near
        )
        below = (
            min(word.right, rect.right) > max(word.left, rect.left)
            and rect.bottom < word.top + near
            and rect.top > word.bottom - near
        )
        return bool(beside or below)

    def _closed(self, word: _OpenWord) -> Iterator[Word]:
        text = clean(_joined("".join(word.letters))).strip()
        if not text:
            return
        x0, y0 = self._seen(word.left, word.bottom)
        x1, y1 = self._seen(word.right, word.top)
        x0, x1, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        if not (0 <= x0 + x1 <= 2 * self._width and 0 <= top + bottom <= 2 * self._height):
            return  # outside the visible page
        turned = self._turned(word.index)
        bold, fixed = self._style(word.index)
        yield Word(
            text=text,
            x0=round(x0, 2),
            top=round(top, 2),
            x1=round(x1, 2),
            bottom=round(bottom, 2),
            size=round(x1 - x0 if turned else bottom - top, 1),
            bold=bold,
            upright=not turned,
            fixed=fixed,
        )

    def _turned(self, index: int) -> bool:
        angle = pdfium.FPDFText_GetCharAngle(self._page, index)
        degrees = (angle * 57.29578 + (0 if angle >= 0 else 360) - self._rotation) % 360
        return bool(20 < degrees < 340)

    def _style(self, index: int) -> tuple[bool, bool]:
        """Whether the letter's font is bold, and whether its letters have one width."""
        heavy = pdfium.FPDFText_GetFontWeight(self._page, index) >= _BOLD_WEIGHT
        self._flags.value = 0
        length = pdfium.FPDFText_GetFontInfo(self._page, index, self._font, len(self._font), self._flags)
        name = self._font.raw[: max(length - 1, 0)] if length <= len(self._font) else b""
        flags = self._flags.value
        bold = heavy or bool(flags & _FORCE_BOLD) or bool(_BOLD_NAME.search(name))
        return bold, bool(flags & _FIXED_PITCH) or bool(_FIXED_NAME.search(name))


def _joined(text: str) -> str:
    """Two halves of a character outside the base plane become one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() else text


def read_drawing(page: Any, frame: Frame) -> Drawing:
    """Ruled lines, and how many pictures and shapes there are; stops after 20,000 objects."""
    drawing = Drawing([])
    _DrawingReader(frame, drawing).collect(page.raw)
    return drawing


class _DrawingReader:
    def __init__(self, frame: Frame, drawing: Drawing) -> None:
        self._seen = frame.seen()
        self._drawing = drawing
        self._left = _OBJECTS
        self._x, self._y = ctypes.c_float(), ctypes.c_float()

    def collect(self, page: Any) -> None:
        count = pdfium.FPDFPage_CountObjects(page)
        self._objects(
            (pdfium.FPDFPage_GetObject(page, index) for index in range(count)), (1, 0, 0, 1, 0, 0), 0
        )

    def _objects(self, objects: Iterator[Any], outer: tuple[float, ...], depth: int) -> None:
        for item in objects:
            self._left -= 1
            if self._left < 0:
                self._drawing.complete = False
                return
            kind = pdfium.FPDFPageObj_GetType(item)
            if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self._drawing.pictures += 1
            elif kind == pdfium.FPDF_PAGEOBJ_PATH:
                self._drawing.shapes += 1
                self._path(item, _multiply(_matrix(item), outer))
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _DEPTH:
                count = pdfium.FPDFFormObj_CountObjects(item)
                inner = (pdfium.FPDFFormObj_GetObject(item, index) for index in range(count))
                self._objects(inner, _multiply(_matrix(item), outer), depth + 1)

    def _path(self, path: Any, matrix: tuple[float, ...]) -> None:
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
        if not fill.value and not stroke.value:
            return
        first: tuple[float, float] | None = None
        last: tuple[float, float] | None = None
        for index in range(min(pdfium.FPDFPath_CountSegments(path), 2_000)):
            segment = pdfium.FPDFPath_GetPathSegment(path, index)
            if not pdfium.FPDFPathSegment_GetPoint(segment, self._x, self._y):
                continue
            point = self._point(matrix)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO or last is None:
                first = point
            elif kind == pdfium.FPDF_SEGMENT_LINETO:
                self._rule(last, point)
            last = point
            if pdfium.FPDFPathSegment_GetClose(segment) and first is not None:
                self._rule(last, first)
                last = first

    def _point(self, matrix: tuple[float, ...]) -> tuple[float, float]:
        a, b, c, d, e, f = matrix
        x, y = self._x.value, self._y.value
        return self._seen(a * x + c * y + e, b * x + d * y + f)

    def _rule(self, one: tuple[float, float], other: tuple[float, float]) -> None:
        width, height = abs(one[0] - other[0]), abs(one[1] - other[1])
        if height <= _RULE and width >= _RULE_LENGTH:
            self._drawing.rules.append(
                Rule(True, (one[1] + other[1]) / 2, min(one[0], other[0]), max(one[0], other[0]))
            )
        elif width <= _RULE and height >= _RULE_LENGTH:
            self._drawing.rules.append(
                Rule(False, (one[0] + other[0]) / 2, min(one[1], other[1]), max(one[1], other[1]))
            )


def _matrix(item: Any) -> tuple[float, ...]:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, matrix):
        return (1, 0, 0, 1, 0, 0)
    return (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _multiply(inner: tuple[float, ...], outer: tuple[float, ...]) -> tuple[float, ...]:
    """First `inner`, then `outer`."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)

"""A PDF opened for reading pages or drawing one."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from apps.core.text.language import Language
from apps.documents.parsing.cleaning import REPLACEMENT, clean
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.pdf.content import page_frame, read_drawing, read_words
from apps.documents.parsing.pdf.geometry import Word
from apps.documents.parsing.pdf.grids import find_grids
from apps.documents.parsing.pdf.layout import Layout
from apps.documents.parsing.types import Limits, Outline, PageFailed, ParsedPage

_PASSWORD_ERRORS: Final = frozenset({4, 5})  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_OUTLINED_SHAPES: Final = 50  # letters drawn as shapes: a page of text without text
_UNREADABLE: Final = 0.3
_IMAGE_WIDTH: Final = 2_400
_IMAGE_PIXELS: Final = 16_000_000


class PdfSource:
    """One document; not safe for threads, like PDFium itself."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        try:
            self._document = pdfium.PdfDocument(file)
        except pdfium.PdfiumError as error:
            encrypted = error.err_code in _PASSWORD_ERRORS
            raise ParseError(ErrorCode.ENCRYPTED if encrypted else ErrorCode.CORRUPT) from error
        count = len(self._document)
        if count == 0:
            raise ParseError(ErrorCode.CORRUPT)
        if count > limits.pages:
            raise ParseError(ErrorCode.TOO_LARGE)
        self._limits = limits
        self._layout = Layout()

    def outline(self) -> Outline:
        """Page count, title and the declared language; looks into no page, since one may be hostile."""
        title = clean(str(self._document.get_metadata_value("Title") or "")).strip()
        known = title and title.lower() not in {"(anonymous)", "untitled"}
        return Outline(len(self._document), title[:300] if known else None, self._declared_language())

    def pages(self, first: int, last: int | None) -> Iterator[ParsedPage | PageFailed]:
        """Pages `first` to `last`, both included."""
        characters = 0
        for number in range(first, min(last or len(self._document), len(self._document)) + 1):
            page = self._page(number)
            yield page
            characters += len(page.text) if isinstance(page, ParsedPage) else 0
            if characters > self._limits.characters:
                raise ParseError(ErrorCode.TOO_LARGE)

    def image(self, number: int, width: int) -> bytes:
        """The page as PNG, `width` pixels wide (at most 2,400 and 16 million pixels in all).

        Raises:
            ParseError: corrupt where the page does not exist or cannot be drawn.
        """
        if not 1 <= number <= len(self._document):
            raise ParseError(ErrorCode.CORRUPT)
        try:
            page = self._document[number - 1]
            points_wide, points_high = page.get_size()
            scale = min(width, _IMAGE_WIDTH) / max(points_wide, 1.0)
            most = (_IMAGE_PIXELS / max(points_wide * points_high, 1.0)) ** 0.5
            image = page.render(scale=min(scale, most)).to_pil().convert("RGB")
        except pdfium.PdfiumError as error:
            raise ParseError(ErrorCode.CORRUPT) from error
        out = io.BytesIO()
        plain = (
            image.getcolors(256) is not None
        )  # text in shades of grey: a palette loses nothing, a third of the size
        (image.quantize(256) if plain else image).save(out, "PNG")
        return out.getvalue()

    def _declared_language(self) -> Language | None:
        name = (ctypes.c_ushort * 16)()
        pdfium_c.FPDFCatalog_GetLanguage(self._document.raw, name, ctypes.sizeof(name))
        code = bytes(name).decode("utf-16-le", "replace")[:2].lower()
        return "de" if code == "de" else "en" if code == "en" else None

    def _page(self, number: int) -> ParsedPage | PageFailed:
        try:
            page = self._document[number - 1]
        except pdfium.PdfiumError:
            return PageFailed(number, ErrorCode.CORRUPT)
        try:
            text_page = page.get_textpage()
            frame = page_frame(page)
            if text_page.count_chars() > self._limits.page_characters:
                return PageFailed(number, ErrorCode.TOO_LARGE)
            words = read_words(text_page, frame)
            drawing = read_drawing(page, frame)
            text_page.close()
            if not _readable(words) and (words or drawing.pictures or drawing.shapes > _OUTLINED_SHAPES):
                return PageFailed(number, ErrorCode.NO_TEXT)
            grids = find_grids(drawing.rules) if drawing.complete else []
            return self._layout.page(number, frame, words, grids)
        except (pdfium.PdfiumError, ValueError, ArithmeticError, RecursionError):
            return PageFailed(number, ErrorCode.CORRUPT)
        finally:
            page.close()


def _readable(words: list[Word]) -> bool:
    """Whether the text layer gives letters; a broken font table gives replacement and private characters."""
    text = "".join(word.text for word in words)
    strange = sum(1 for character in text if character == REPLACEMENT or "\ue000" <= character <= "\uf8ff")
    return bool(text) and strange <= _UNREADABLE * len(text)

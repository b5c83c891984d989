"""PDFs some of whose pages are pictures."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.documents.samples import canvas_pdf


def with_scan(*texts: str | None) -> bytes:
    """Return a page for each text, and a picture without a letter for each None."""
    return canvas_pdf([_scan if text is None else _words(text) for text in texts])


def _words(text: str) -> Callable[[Canvas], object]:
    return lambda canvas: canvas.drawString(72, 700, text)


def _scan(canvas: Canvas) -> object:
    return canvas.drawImage(ImageReader(Image.new("RGB", (60, 80), "gray")), 50, 50, 400, 600)

"""Sample files, made when a test asks for them: good ones of every format, broken and hostile ones."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cache

import docx
import openpyxl
from PIL import Image
from reportlab.lib import colors, pdfencrypt
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    FrameBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

GERMAN = (
    "Die Reisekosten werden innerhalb von vier Wochen erstattet. Belege sind im Original einzureichen. "
    "Für Fahrten mit der Bahn gilt die zweite Klasse. Ab dem 3. März 2025 genügt eine Kopie per E-Mail."
)
ENGLISH = (
    "Travel expenses are refunded within four weeks. Please hand in the original receipts. "
    "Train journeys are booked in second class. From 3 March 2025 a copy sent by mail is enough."
)
_STYLES = getSampleStyleSheet()


def canvas_pdf(draw: Sequence[Callable[[Canvas], object]], **options: object) -> bytes:
    """A page for each drawing."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, **options)
    for one in draw:
        one(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def text_pdf(texts: Sequence[str]) -> bytes:
    """A page for each text, one line each."""
    return canvas_pdf([lambda canvas, text=text: canvas.drawString(72, 700, text) for text in texts])


def lines_pdf(lines: Sequence[str], *, font: str = "Helvetica", leading: float = 14) -> bytes:
    """One page of given lines."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, 12)
        for index, line in enumerate(lines):
            canvas.drawString(72, 700 - leading * index, line)

    return canvas_pdf([draw])


def handbook_pdf(sections: int = 4, paragraphs: int = 6, text: str = ENGLISH) -> bytes:
    """Headings, paragraphs, a running title and page numbers, and a ruled table in each section."""
    story: list[object] = []
    for section in range(1, sections + 1):
        story.append(Paragraph(f"{section} Section number {section}", _STYLES["Heading1"]))
        story += [Paragraph(f"{section}.{index} {text}", _STYLES["BodyText"]) for index in range(paragraphs)]
        story += [
            ruled_table([["Item", "Price"], ["Train", f"{section},50 EUR"], ["Bus", "2 EUR"]]),
            Spacer(1, 9),
        ]
    return _built(story, margins=True)


def ruled_table(rows: list[list[object]], spans: Sequence[tuple[object, ...]] = ()) -> Table:
    """A table with all its lines."""
    table = Table(rows)
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), *spans]))
    return table


def table_pdf(*, ruled: bool = True, spans: Sequence[tuple[object, ...]] = ()) -> bytes:
    """A paragraph, a table of four columns, a paragraph."""
    rows: list[list[object]] = [["Article", "Amount", "Net price", "Remark"]]
    rows += [[f"Screw M{size}", str(size * 10), f"{size},50 EUR", "in stock"] for size in range(1, 7)]
    table = ruled_table(rows, spans) if ruled else Table(rows, colWidths=[120, 70, 90, 120])
    before, after = Paragraph(ENGLISH, _STYLES["BodyText"]), Paragraph(GERMAN, _STYLES["BodyText"])
    return _built([before, Spacer(1, 12), table, Spacer(1, 12), after])


def column_pdf() -> bytes:
    """A title over two columns of prose: the left one says "left" in each sentence, the right one "right"."""
    out = io.BytesIO()
    width, height = A4
    style = ParagraphStyle("column", parent=_STYLES["BodyText"], alignment=4, fontSize=9, leading=11)
    wide = (width - 116) / 2
    frames = [
        Frame(50, height - 150, width - 100, 80),
        Frame(50, 60, wide, height - 220),
        Frame(66 + wide, 60, wide, height - 220),
    ]
    document = BaseDocTemplate(out, pagesize=A4, invariant=1)
    document.addPageTemplates([PageTemplate("columns", frames)])
    story: list[object] = [Paragraph("A title across both columns", _STYLES["Title"]), FrameBreak()]
    story += [
        Paragraph("The left column talks about one thing at some length. " * 9, style) for _ in range(4)
    ]
    story.append(FrameBreak())
    story += [Paragraph("The right column talks about something else again. " * 9, style) for _ in range(4)]
    document.build(story)
    return out.getvalue()


def scanned_pdf() -> bytes:
    """A page with a picture and no letter."""
    picture = ImageReader(Image.new("RGB", (60, 80), "gray"))
    return canvas_pdf([lambda canvas: canvas.drawImage(picture, 50, 50, 400, 600)])


def encrypted_pdf() -> bytes:
    secret = pdfencrypt.StandardEncryption("user-password", ownerPassword="owner-password", canPrint=0)
    return canvas_pdf([lambda canvas: canvas.drawString(72, 700, "secret")], encrypt=secret)


def raw_pdf(contents: Sequence[bytes], extra: Sequence[bytes] = (), resources: bytes = b"") -> bytes:
    """A PDF of given content streams, each with its dictionary, and further objects numbered from 100."""
    pages = [3 + 2 * index for index in range(len(contents))]
    kids = b" ".join(b"%d 0 R" % number for number in pages)
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
    }
    font = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    for number, content in zip(pages, contents, strict=True):
        objects[number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << %s %s >> >>"
            % (number + 1, font, resources)
        )
        objects[number + 1] = content
    objects.update({100 + index: body for index, body in enumerate(extra)})
    out = bytearray(b"%PDF-1.4\n")
    places = {}
    for number in sorted(objects):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def words_stream(text: bytes) -> bytes:
    return stream(b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text)


def pdf_with_endless_pages(texts: Sequence[str | None]) -> bytes:
    """A page for each text; one without text draws a form of 100,000 steps 20,000 times, which takes no memory."""
    form = stream(b"1 0 0 1 0 0 cm\n" * 100_000, b"/Type /XObject /Subtype /Form /BBox [0 0 600 800]")
    endless = stream(b"/X0 Do\n" * 20_000)
    contents = [endless if text is None else words_stream(text.encode()) for text in texts]
    return raw_pdf(contents, [form], b"/XObject << /X0 100 0 R >>")


def pdf_with_huge_page(size: int) -> bytes:
    """Three pages; the content of the second unpacks to `size` bytes."""
    packer = zlib.compressobj(9)
    block = b"0 0 m 1 1 l S\n" * 40_000
    packed = b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()
    contents = [
        words_stream(b"first page"),
        stream(packed, b"/Filter /FlateDecode"),
        words_stream(b"third page"),
    ]
    return raw_pdf(contents)


def word_file() -> bytes:
    """Title, headings of two levels, paragraphs, both kinds of lists, a table."""
    document = docx.Document()
    document.core_properties.title = "Travel handbook"
    document.add_heading("Travel", level=1)
    document.add_paragraph(ENGLISH)
    document.add_heading("Receipts", level=2)
    document.add_paragraph("Keep the receipt", style="List Bullet")
    document.add_paragraph("Hand it in", style="List Bullet")
    document.add_paragraph("First step", style="List Number")
    table = document.add_table(rows=3, cols=2)
    for row, values in enumerate([("Item", "Price"), ("Train", "12 EUR"), ("Bus", "2 EUR")]):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    document.add_paragraph(GERMAN)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook(rows: int = 5) -> bytes:
    """Two visible sheets and a hidden one; a formula with its stored result is not possible here, so none."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    sheet.append(["Article", "Amount", "Price"])
    for row in range(1, rows + 1):
        sheet.append([f"Screw {row}", row * 10, row + 0.1])
    book.create_sheet("Notes").append(["Only one line"])
    hidden = book.create_sheet("Secret")
    hidden.append(["hidden value"])
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewritten(archive: bytes, changes: dict[str, bytes | None]) -> bytes:
    """The archive with parts replaced, added or (None) removed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, data in changes.items():
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


@cache
def zip_bomb() -> bytes:
    """A Word file with a part of 300 MiB of zeros."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(word_file())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
        with new.open("word/media/big.bin", "w", force_zip64=False) as part:
            for _ in range(300):
                part.write(b"\0" * 2**20)
    return out.getvalue()


def crowded_archive(entries: int = 1_200) -> bytes:
    """A Word file with too many parts."""
    return rewritten(word_file(), {f"word/extra/{index}.xml": b"<x/>" for index in range(entries)})


def _built(story: list[object], *, margins: bool = False) -> bytes:
    out = io.BytesIO()

    def decorate(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 815, "Handbook, edition 2025")
        canvas.drawString(500, 20, f"Page {document.page}")

    drawing = {"onFirstPage": decorate, "onLaterPages": decorate} if margins else {}
    SimpleDocTemplate(out, pagesize=A4, invariant=1).build(story, **drawing)
    return out.getvalue()

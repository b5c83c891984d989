"""PDF: boxes, tables, reading order, margins, rotation, pages that fail."""

from __future__ import annotations

import io
from collections import Counter

import pdfplumber
import pytest
from PIL import Image, ImageOps

from apps.documents.parsing import sniff
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.pdf.source import PdfSource
from apps.documents.parsing.sources import open_source
from apps.documents.parsing.types import Limits, Outline, PageFailed, ParsedPage
from tests.documents import samples
from tests.documents.checks import check, kinds, read, read_all


def outline(data):
    return open_source(io.BytesIO(data), sniff.PDF, Limits()).outline()


def test_words_and_boxes_agree_with_another_reader():
    data = samples.handbook_pdf(sections=2)
    with pdfplumber.open(io.BytesIO(data)) as document:
        theirs = document.pages[0].extract_words()
    page = read(data, sniff.PDF)[0]
    ours = Counter(page.text[span.char_start : span.char_end] for span in page.spans)
    assert ours == Counter(word["text"] for word in theirs) - Counter({"Page": 1, "1": 1})
    places = {word["text"]: word for word in theirs if ours[word["text"]] == 1}
    checked = 0
    for span in page.spans:
        word = places.get(page.text[span.char_start : span.char_end])
        if word is not None:
            assert span.box.x0 == pytest.approx(word["x0"], abs=1.5)
            assert span.box.x1 == pytest.approx(word["x1"], abs=1.5)
            assert span.box.top == pytest.approx(word["top"], abs=3)
            checked += 1
    assert checked > 5


def test_handbook_has_headings_tables_and_no_repeated_margins():
    pages = read(samples.handbook_pdf(sections=7), sniff.PDF)
    assert len(pages) == 3
    found = kinds(pages)
    headings = [text for kind, text in found if kind == "heading"]
    assert headings == [f"{section} Section number {section}" for section in range(1, 8)]
    tables = [text for kind, text in found if kind == "table"]
    assert tables[0] == "Item | Price\nTrain | 1,50 EUR\nBus | 2 EUR"
    assert len(tables) == 7
    text = "\n".join(page.text for page in pages)
    assert text.count("Handbook, edition 2025") == 1
    assert "Page 2" not in text


def test_outline():
    assert outline(samples.text_pdf(["one", "two"])) == Outline(2)
    titled = samples.canvas_pdf([lambda canvas: canvas.setTitle("Reiserichtlinie")], lang="de-DE")
    assert outline(titled) == Outline(1, "Reiserichtlinie", "de")


@pytest.mark.parametrize("ruled", [True, False])
def test_tables_with_and_without_lines(ruled):
    found = kinds(read(samples.table_pdf(ruled=ruled), sniff.PDF))
    assert [kind for kind, _ in found] == ["paragraph", "table", "paragraph"]
    lines = found[1][1].splitlines()
    assert lines[0] == "Article | Amount | Net price | Remark"
    assert lines[1:] == [f"Screw M{size} | {size * 10} | {size},50 EUR | in stock" for size in range(1, 7)]


def test_merged_cells_are_told_once():
    data = samples.table_pdf(spans=[("SPAN", (0, 1), (1, 1))])
    table = next(text for kind, text in kinds(read(data, sniff.PDF)) if kind == "table")
    assert table.splitlines()[1] == "Screw M1 |  | 1,50 EUR | in stock"


def test_columns_are_read_one_after_the_other():
    page = read(samples.column_pdf(), sniff.PDF)[0]
    assert page.blocks[0].text == "A title across both columns"
    assert page.text.count("The left column talks about one thing at some length.") == 36
    assert page.text.count("The right column talks about something else again.") == 36
    assert page.text.rindex("left column") < page.text.index("right column")


def test_words_cut_at_the_end_of_a_line_become_whole():
    data = samples.lines_pdf(["Die Ver-", "waltung und Vor-", "und Nachteile in Baden-", "Württemberg"])
    page = read(data, sniff.PDF)[0]
    assert page.text == "Die Verwaltung und Vor- und Nachteile in Baden-Württemberg"
    start = page.text.index("Verwaltung")
    boxes = page.boxes(start, start + len("Verwaltung"))
    assert len(boxes) == 2
    assert boxes[0].top < boxes[1].top


def test_lists_and_code_keep_their_lines():
    listed = samples.lines_pdf(["Bring along:", "- the form", "- a photo taken", "  this year", "- cash"])
    assert ("list", "- the form\n- a photo taken this year\n- cash") in kinds(read(listed, sniff.PDF))
    code = samples.lines_pdf(["def f(x):", "    return x", "print(f(1))"], font="Courier")
    assert kinds(read(code, sniff.PDF)) == [("code", "def f(x):\n    return x\nprint(f(1))")]


def test_a_date_at_the_start_of_a_line_is_no_list():
    lines = [
        "The contract between both sides ends without notice on the",
        "9. March and is renewed by letter only.",
    ]
    assert [kind for kind, _ in kinds(read(samples.lines_pdf(lines), sniff.PDF))] == ["paragraph"]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_fit_the_drawn_page(rotation):
    """The word is the only ink on the page: the box must enclose the dark pixels of the image."""

    def draw(canvas):
        canvas.setCropBox((40, 60, 500, 800))
        canvas.setPageRotation(rotation)
        canvas.drawString(150, 400, "needle")
        canvas.drawString(510, 400, "outside")

    data = samples.canvas_pdf([draw])
    page = read(data, sniff.PDF)[0]
    assert page.text == "needle"
    box = page.spans[0].box
    left, top, right, bottom = ink(PdfSource(io.BytesIO(data), Limits()).image(1, 1_000))
    scale = 1_000 / (page.width or 1)
    assert left >= box.x0 * scale - 3
    assert right <= box.x1 * scale + 3
    assert top >= box.top * scale - 3
    assert bottom <= box.bottom * scale + 3


def ink(png):
    """The rectangle that holds every dark pixel: left, top, right, bottom."""
    return ImageOps.invert(Image.open(io.BytesIO(png)).convert("L")).getbbox()


def test_a_stretch_of_text_maps_to_boxes_on_its_lines():
    page = read(samples.handbook_pdf(sections=1), sniff.PDF)[0]
    start = page.text.index("Travel expenses")
    one_line = page.boxes(start, start + len("Travel expenses"))
    assert len(one_line) == 1
    assert one_line[0].page == 1
    sentence = page.boxes(start, page.text.index("enough.") + 7)
    assert len(sentence) == 2
    assert page.boxes(start, start) == ()


def test_scanned_page_has_no_text_and_a_blank_page_is_fine():
    assert read_all(samples.scanned_pdf(), sniff.PDF) == [PageFailed(1, ErrorCode.NO_TEXT)]
    blank = read_all(samples.canvas_pdf([lambda canvas: None]), sniff.PDF)[0]
    assert isinstance(blank, ParsedPage)
    assert (blank.text, blank.blocks) == ("", ())


def test_encrypted_and_corrupt_files_are_refused():
    with pytest.raises(ParseError) as caught:
        outline(samples.encrypted_pdf())
    assert caught.value.code is ErrorCode.ENCRYPTED
    with pytest.raises(ParseError) as caught:
        outline(b"%PDF-1.7\n" + b"nothing here " * 100)
    assert caught.value.code is ErrorCode.CORRUPT


def test_a_file_without_its_end_is_still_read():
    data = samples.text_pdf(["first page", "second page"])
    pages = read(data[: data.rindex(b"xref")], sniff.PDF)
    assert [page.text for page in pages] == ["first page", "second page"]


def test_limits_of_pages_and_letters():
    data = samples.text_pdf(["one", "a much longer second page", "three"])
    with pytest.raises(ParseError) as caught:
        read_all(data, sniff.PDF, Limits(pages=2))
    assert caught.value.code is ErrorCode.TOO_LARGE
    pages = read_all(data, sniff.PDF, Limits(page_characters=10))
    assert pages[1] == PageFailed(2, ErrorCode.TOO_LARGE)
    assert [page.text for page in pages if isinstance(page, ParsedPage)] == ["one", "three"]


def test_pages_can_be_read_from_the_middle():
    source = open_source(io.BytesIO(samples.text_pdf(["one", "two", "three", "four"])), sniff.PDF, Limits())
    pages = [page for page in source.pages(2, 3) if isinstance(page, ParsedPage)]
    assert [(page.number, page.text) for page in pages] == [(2, "two"), (3, "three")]


def test_hostile_characters_do_not_reach_the_text():
    page = read(samples.raw_pdf([samples.words_stream(b"one\\000two \\002three")]), sniff.PDF)[0]
    check(page)
    assert "one" in page.text

"""Formats without pages: blocks, logical pages, encodings."""

from __future__ import annotations

import io

import pytest

from apps.documents.parsing import sniff
from apps.documents.parsing.cleaning import clean, decode
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.sources import open_source
from apps.documents.parsing.types import Limits, PageFailed
from tests.documents import samples
from tests.documents.checks import kinds, read, read_all


def test_plain_text_becomes_headings_paragraphs_and_lists():
    text = (
        "TRAVEL RULES\n\nFirst line\nsecond line.\n\n1.2 Receipts\n\n- keep\n- hand in\n\nTitle\n=====\nBody."
    )
    assert kinds(read(text.encode(), sniff.TEXT)) == [
        ("heading", "TRAVEL RULES"),
        ("paragraph", "First line\nsecond line."),
        ("heading", "1.2 Receipts"),
        ("list", "- keep\n- hand in"),
        ("heading", "Title"),
        ("paragraph", "Body."),
    ]


def test_markdown_keeps_words_and_drops_marks():
    text = (
        "---\ntitle: x\n---\n# Rules **now**\n\nSee [the page](https://example.com) and `code`.\n\n"
        "1. one\n2. two\n   - inner\n\n```py\nx = 1\n```\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n"
        "<script>alert(1)</script>\n"
    )
    assert kinds(read(text.encode(), sniff.MARKDOWN)) == [
        ("heading", "Rules now"),
        ("paragraph", "See the page and code."),
        ("list", "1. one\n2. two\n  - inner"),
        ("code", "x = 1"),
        ("table", "A | B\n1 | 2"),
        ("paragraph", "<script>alert(1)</script>"),
    ]


def test_html_gives_what_a_reader_sees():
    html = (
        "<html><head><title>Rules &amp; more</title><style>p{}</style></head><body><nav>menu</nav>"
        "<h2>Travel</h2><p>First <b>bold <i>and</i></b> text.<br>Next line.</p>loose <em>text</em>"
        "<div style='display: none'>hidden</div><script>evil()</script>"
        "<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul>"
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1 <b>x</b> y</td><td>2</td></tr></table>"
        "<pre>a\n  b</pre></body></html>"
    )
    source = open_source_of(html.encode(), sniff.HTML)
    assert source.outline().title == "Rules & more"
    assert kinds(read(html.encode(), sniff.HTML)) == [
        ("heading", "Travel"),
        ("paragraph", "First bold and text.\nNext line."),
        ("paragraph", "loose text"),
        ("list", "- one\n  - inner\n- two"),
        ("table", "A | B\n1 x y | 2"),
        ("code", "a\n  b"),
    ]


def test_html_fetches_and_resolves_nothing(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    html = (
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><p>before &x; after</p>'
        f'<iframe src="{secret.as_uri()}">frame</iframe><object data="{secret.as_uri()}">object</object>'
    )
    text = "".join(page.text for page in read(html.encode(), sniff.HTML))
    assert "before" in text
    assert "secret" not in text


def test_numbered_html_lists_count_for_themselves():
    html = "<ol><li>one<ol><li>inner</li></ol></li><!-- note --><li>two</li></ol>"
    assert kinds(read(html.encode(), sniff.HTML)) == [("list", "1. one\n  1. inner\n2. two")]


def test_deep_html_is_read_without_recursion():
    html = "<div>" * 3_000 + "deep" + "</div>" * 3_000
    pages = read_all(html.encode(), sniff.HTML)
    assert len(pages) == 1


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_finds_its_separator(separator):
    rows = [["Name", "Ort, Land", "Preis"], ["Ada", "Köln; Deutschland", "1,50"], ["Bo", 'say "hi"', "2"]]
    data = "\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    assert kinds(read(data.encode(), sniff.CSV)) == [
        ("table", 'Name | Ort, Land | Preis\nAda | Köln; Deutschland | 1,50\nBo | say "hi" | 2'),
    ]


def test_long_table_repeats_its_header_on_each_page():
    data = "Name;Value\n" + "".join(f"Row {index};{index}\n" for index in range(1_000))
    pages = read(data.encode(), sniff.CSV)
    assert len(pages) > 4
    assert all(page.text.startswith("Name | Value\nRow ") for page in pages)
    assert all(len(page.text) <= 3_100 for page in pages)
    rows = [line for page in pages for line in page.text.splitlines() if line.startswith("Row")]
    assert rows == [f"Row {index} | {index}" for index in range(1_000)]


def test_long_text_is_cut_between_sentences():
    sentence = "This sentence stands for itself and has a number of words in it. "
    pages = read((sentence * 200).encode(), sniff.TEXT)
    assert len(pages) > 3
    assert all(page.text.endswith(".") and page.text.startswith("This") for page in pages)
    assert sum(page.text.count("stands") for page in pages) == 200


def test_text_without_any_border_is_cut_too():
    pages = read(b"x" * 10_000, sniff.TEXT)
    assert "".join(page.text for page in pages) == "x" * 10_000
    assert len(pages) == 4


def test_word_file():
    data = samples.word_file()
    outline = open_source_of(data, sniff.DOCX).outline()
    assert (outline.page_count, outline.title, outline.language) == (
        1,
        "Travel handbook",
        None,
    )  # half German
    pages = read(data, sniff.DOCX)
    assert kinds(pages) == [
        ("heading", "Travel"),
        ("paragraph", samples.ENGLISH),
        ("heading", "Receipts"),
        ("list", "- Keep the receipt\n- Hand it in\n1. First step"),
        ("table", "Item | Price\nTrain | 12 EUR\nBus | 2 EUR"),
        ("paragraph", samples.GERMAN),
    ]
    assert [block.level for block in pages[0].blocks if block.kind == "heading"] == [1, 2]


def test_word_file_counts_inserted_text_and_leaves_deleted_text_out():
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        f"<w:document {space}><w:body><w:p><w:r><w:t>kept </w:t></w:r>"
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p><w:sdt><w:sdtContent><w:p>"
        "<w:r><w:t>field</w:t></w:r></w:p></w:sdtContent></w:sdt></w:body></w:document>"
    )
    data = samples.rewritten(samples.word_file(), {"word/document.xml": body.encode()})
    assert kinds(read(data, sniff.DOCX)) == [("paragraph", "kept new"), ("paragraph", "field")]


def test_workbook_shows_visible_sheets_with_values():
    assert kinds(read(samples.workbook(2), sniff.XLSX)) == [
        ("heading", "Prices"),
        ("table", "Article | Amount | Price\nScrew 1 | 10 | 1.1\nScrew 2 | 20 | 2.1"),
        ("heading", "Notes"),
        ("paragraph", "Only one line"),
    ]


def test_workbook_with_too_many_cells_is_refused():
    with pytest.raises(ParseError) as caught:
        read_all(samples.workbook(200), sniff.XLSX, Limits(cells=300))
    assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("media_type", [sniff.TEXT, sniff.MARKDOWN, sniff.HTML, sniff.CSV])
def test_a_document_without_text_is_one_failed_page(media_type):
    assert read_all(b"  \n\n \t ", media_type) == [PageFailed(1, ErrorCode.NO_TEXT)]


def test_too_much_text_is_refused():
    with pytest.raises(ParseError) as caught:
        read_all(b"word " * 1_000, sniff.TEXT, Limits(characters=4_000))
    assert caught.value.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    ("data", "encoding", "replaced"),
    [
        ("Grüße, Straße – 5 €".encode(), "utf-8", 0),
        ("Grüße, Straße – 5 €".encode("utf-8-sig"), "utf-8-sig", 0),
        ("Grüße, Straße – 5 €".encode("utf-16"), "utf-16", 0),
        ("Grüße, Straße – 5 €".encode("utf-16-le"), "utf-16-le", 0),
        ("Grüße, Straße – 5 €".encode("utf-16-be"), "utf-16-be", 0),
        ("Grüße, Straße – 5 €".encode("cp1252"), "cp1252", 0),
        ("Grüße, Straße – 5 €".encode() + b"\xc3", "utf-8", 1),
        ("Grüße, Straße – 5 €".encode("cp1252") + b"\x81", "cp1252", 1),
    ],
)
def test_encodings(data, encoding, replaced):
    found = decode(data)
    assert (found.encoding, found.replaced) == (encoding, replaced)
    assert found.text.rstrip("\ufffd") == "Grüße, Straße – 5 €"
    assert read(data, sniff.TEXT)[0].replaced == replaced


def test_html_believes_its_declared_encoding_when_nothing_else_fits():
    data = '<meta charset="iso-8859-2"><p>Łódź</p>'.encode("iso-8859-2")
    assert kinds(read(data, sniff.HTML)) == [("paragraph", "Łódź")]


def test_cleaning_removes_what_databases_and_quotes_cannot_take():
    assert clean("a\x00b\ud800c\u00add\ufb01\u00a0e\r\nf\x07g\u200b") == "ab\ufffdcdfi e\nf g"
    assert clean("u\u0308") == "ü"


def open_source_of(data, media_type):
    return open_source(io.BytesIO(data), media_type, Limits())

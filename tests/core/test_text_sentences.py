"""Sentence borders: exact offsets, German and English cases that a naive split gets wrong."""

from __future__ import annotations

import pytest

from apps.core.text.sentences import split_sentences

ENGLISH = [
    (
        'Mr. J. K. Smith Jr. went to the U.S. He said "No." And left.',
        ["Mr. J. K. Smith Jr. went to the U.S.", 'He said "No."', "And left."],
    ),
    (
        "See https://example.com/a.b?c=1. Then e.g. this vs. that costs 3.50 or 1,000.75 dollars.",
        ["See https://example.com/a.b?c=1.", "Then e.g. this vs. that costs 3.50 or 1,000.75 dollars."],
    ),
    ("Install version 3. The next is 4.5. Ready?", ["Install version 3.", "The next is 4.5.", "Ready?"]),
    (
        '"Really?" he asked. (See Fig. 3.) Done… Next.',
        ['"Really?" he asked.', "(See Fig. 3.)", "Done…", "Next."],
    ),
    ("We like works of art. Peter sat. Mary ran.", ["We like works of art.", "Peter sat.", "Mary ran."]),
    ("Pay by 5 p.m. The office closes then.", ["Pay by 5 p.m.", "The office closes then."]),
    ("Smith et al. 2019 and Acme Inc. Berlin agree.", ["Smith et al. 2019 and Acme Inc. Berlin agree."]),
]
GERMAN = [
    (
        "Am 3. März 2025 traf Dr. Müller ca. 20 Gäste, z. B. Frau Dr. h. c. Ott. Danach kam er usw. Es half.",
        [
            "Am 3. März 2025 traf Dr. Müller ca. 20 Gäste, z. B. Frau Dr. h. c. Ott.",
            "Danach kam er usw.",
            "Es half.",
        ],
    ),
    (
        "Im 19. Jahrhundert lebte Ludwig XIV. von Frankreich. Die 2. Auflage kostet 3,50 Euro.",
        ["Im 19. Jahrhundert lebte Ludwig XIV. von Frankreich.", "Die 2. Auflage kostet 3,50 Euro."],
    ),
    (
        "Die Frist endet am 30. 6. 2025. Es gilt § 3 Abs. 2 BGB. Vgl. S. 12 ff. Der Antrag folgt Art. 5.",
        [
            "Die Frist endet am 30. 6. 2025.",
            "Es gilt § 3 Abs. 2 BGB.",
            "Vgl. S. 12 ff.",
            "Der Antrag folgt Art. 5.",
        ],
    ),
    ("Das war 2019. Danach wurde es d. h. ruhig.", ["Das war 2019.", "Danach wurde es d. h. ruhig."]),
    (
        "Die Müller GmbH & Co. KG liefert bis 1.500 Stück.",
        ["Die Müller GmbH & Co. KG liefert bis 1.500 Stück."],
    ),
    ("Er zählte 400 Einwohner.Die Stadt wächst.", ["Er zählte 400 Einwohner.", "Die Stadt wächst."]),
    ("»Kommst du?« fragte er. „Ja!“ Dann ging er.", ["»Kommst du?« fragte er.", "„Ja!“", "Dann ging er."]),
]


@pytest.mark.parametrize(("text", "expected"), ENGLISH + GERMAN)
def test_borders(text, expected):
    assert [sentence.text for sentence in split_sentences(text)] == expected


def test_the_known_language_decides_about_a_number_before_a_full_stop():
    text = "Siehe Band 3. Peter sagt das."
    assert len(split_sentences(text, language="en")) == 2
    assert len(split_sentences(text, language="de")) == 1


def test_lists_rows_and_blank_lines_always_end_a_sentence():
    text = "1. Scope\n2. Terms\n- one\n- two. Three\n\nTitle without stop\n\nName | Value\nA | 1"
    assert [sentence.text for sentence in split_sentences(text)] == [
        "1. Scope",
        "2. Terms",
        "- one",
        "- two.",
        "Three",
        "Title without stop",
        "Name | Value",
        "A | 1",
    ]


def test_a_paragraph_separator_always_ends_a_sentence():
    text = "Büro 214.\u2029Wo liegt er\u2029danke"
    assert [sentence.text for sentence in split_sentences(text)] == ["Büro 214.", "Wo liegt er", "danke"]


def test_a_wrapped_line_is_no_border():
    assert [s.text for s in split_sentences("The first\nline goes on. Second.")] == [
        "The first\nline goes on.",
        "Second.",
    ]


def test_offsets_are_code_points_of_the_source():
    text = "  😀 Über alles.\n\n  Zweiter Satz – ja!  Dritter  "
    found = split_sentences(text)
    assert [text[s.start : s.end] for s in found] == [s.text for s in found]
    assert [s.text for s in found] == ["😀 Über alles.", "Zweiter Satz – ja!", "Dritter"]


@pytest.mark.parametrize("text", ["", "   ", "\n\n\t"])
def test_nothing_gives_nothing(text):
    assert split_sentences(text) == []


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ["." * 100_000, "z. B. " * 20_000, "a" * 200_000 + ".", "?)" * 50_000, "\n " * 50_000]
)
def test_hostile_text_is_read_in_linear_time(text):
    assert sum(len(sentence.text) for sentence in split_sentences(text)) <= len(text)

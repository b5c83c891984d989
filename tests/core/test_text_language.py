"""The guess between German and English, on questions as short as people type them."""

from __future__ import annotations

import pytest

from apps.core.text.language import guess


@pytest.mark.parametrize(
    "text",
    [
        "Wie viele Urlaubstage habe ich?",
        "Was kostet das?",
        "Reisekosten einreichen",
        "Wo finde ich die Vorlage?",
        "Kündigungsfrist Probezeit",
        "The Beatles waren eine Band aus Liverpool, die in den sechziger Jahren sehr bekannt war.",
        "Bitte bis Freitag das Meeting mit dem Team planen",
    ],
)
def test_german(text):
    assert guess(text) == "de"


@pytest.mark.parametrize(
    "text",
    [
        "How many days of leave do I have?",
        "Was he at the office?",
        "travel expense policy",
        "Where is the template?",
        "parking permit application",
        "The Kindergarten and the Autobahn are words that English took from German.",
        "Please schedule the meeting by Friday",
    ],
)
def test_english(text):
    assert guess(text) == "en"


@pytest.mark.parametrize("text", ["", "12345", "😀", "XJ-900", "Привет, как дела?", "\x00\ud800"])
def test_nothing_to_go_by(text):
    assert guess(text) is None

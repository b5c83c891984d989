"""What is marked in a passage: the words the stemmers take for the same, and no search asks them about all words."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.rag.selectors.passages import _stemmed_alike
from apps.rag.text.folding import forms
from apps.rag.text.snippets import Likeness, highlights, words_of

ROOT = Path(settings.BASE_DIR)
TEXTS = {"de": ROOT / "locale/de/LC_MESSAGES/django.po", "en": ROOT / "docs/administrators.md"}


@pytest.mark.django_db
@pytest.mark.parametrize("language", TEXTS)
def test_no_word_that_the_stemmer_matches_is_left_out(language: str) -> None:
    found = re.findall(r"[^\W\d_]{2,}(?:-[^\W\d_]+)?", TEXTS[language].read_text())
    vocabulary = sorted({word.lower() for word in found})
    chance = random.Random(5)
    matched = 0
    for query in chance.sample(vocabulary, 120):
        asked = {language: [form for form, _ in forms(query, language)]}
        likeness = Likeness(asked[language])
        alike = _stemmed_alike({(language, word) for word in vocabulary}, asked).get(language, set())
        assert [word for word in alike if not likeness.holds(word)] == [], query
        matched += len(alike)
    assert matched > 130  # more than each word itself


def test_compounds_and_umlauts_are_looked_at_and_other_words_are_not() -> None:
    words = words_of(
        "Das Wohnhäuschen am Äquator, ein Öl-Lager und 3 Boote", "de", Likeness(["haus", "apfel", "lager"])
    )
    assert {"wohnhäuschen", "äquator", "öl-lager", "lager"} <= set(words)
    assert not {"das", "boote", "3"} & set(words)
    assert [mark.start for mark in highlights(words, {"lager", "äquator"})] == [20, 36]

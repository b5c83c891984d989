"""A search that found little: the model names other words, which stand as chips and can be left out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor
from tests.llm.model_server import answer, model_server

Visit = Callable[..., Visitor]


@dataclass(frozen=True)
class Spoken:
    """What the page says in a language; nobody says `word`, and a message says `other`."""

    language: str
    width: int
    word: str
    other: str
    ask: str
    named: str
    without: str
    status: str


ENGLISH = Spoken(
    "en-GB", 1440, "Schwungscheibenheber", "Rotorzange", "Search with other words, too", "from the model", "without",
    "with words from the language model",
)  # fmt: skip
GERMAN = Spoken(
    "de-DE", 360, "Leiterprüfgehänge", "Steigschutzwagen", "Auch nach anderen Wörtern suchen", "vom Modell", "ohne",
    "mit Wörtern des Sprachmodells",
)  # fmt: skip


@pytest.mark.parametrize("spoken", [ENGLISH, GERMAN])
def test_the_model_names_other_words_for_a_search(stack: Stack, visit: Visit, spoken: Spoken) -> None:
    word, other = spoken.word, spoken.other
    maren = visit("Maren", language=spoken.language)
    maren.open("betrieb-offshore")
    maren.write(f"Die {other} liegt wieder im Lager.")
    expect(maren.find(other)).to_have_count(1)

    page = maren.page
    page.set_viewport_size({"width": spoken.width, "height": 900})
    page.goto(f"/o/nordlicht/search/?q={word}")
    hit, chip = page.locator(".hit", has_text=other), page.locator("#results a.chip")
    expect(page.locator(".hit mark", has_text=other)).to_have_count(0)
    assert maren.look() == []
    assert maren.audit() == []
    said = answer(json.dumps({word: [other, "<b>fett</b>", "in:leitung"], "anderes": ["Wort"]}))
    with model_server([said], port=stack.model_port) as server:
        page.get_by_role("button", name=spoken.ask).click()
        expect(chip).to_contain_text(f"{spoken.named}: {other}")
        assert len(server.requests) == 1
    expect(hit.locator("mark").first).to_have_text(other)
    expect(page.locator("#results [data-said]")).to_contain_text(spoken.status)
    expect(page.get_by_role("button", name=spoken.ask)).to_have_count(0)
    assert maren.look() == []
    assert maren.audit() == []
    chip.click()
    expect(chip).to_contain_text(f"{spoken.without}: {other}")
    expect(page.locator(".hit mark", has_text=other)).to_have_count(0)
    chip.click()
    expect(chip).to_contain_text(f"{spoken.named}: {other}")
    expect(hit.locator("mark").first).to_have_text(other)
    page.locator("#search-form input[name=q]").fill(
        f"{word} {word[::-1].lower()}"
    )  # they belong to another text
    expect(chip).to_have_count(0)

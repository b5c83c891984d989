"""An administrator says which words mean the same; somebody searches with one and finds the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
CONSOLE = "/o/nordlicht/console/search/"


@dataclass(frozen=True)
class Spoken:
    """What the pages say in a language; `also` and `without` begin a chip, `word` and `other` mean the same."""

    language: str
    width: int
    word: str
    other: str
    new: str
    terms: str
    save: str
    find: str
    too_few: str
    remove: str
    gone: str
    also: str
    without: str


ENGLISH = Spoken(
    "en-GB", 1440, "Hievzeug", "Bordkran",
    "New synonyms", "Terms", "Save", "Find synonyms", "A set has 2 to 12 terms.", "Remove the synonyms of",
    "The synonyms are gone", "also", "without",
)  # fmt: skip
GERMAN = Spoken(
    "de-DE", 360, "Schmiergerät", "Fettpresse",
    "Neue Synonyme", "Begriffe", "Speichern", "Synonyme finden", "Eine Gruppe hat 2 bis 12 Begriffe.",
    "Synonyme von", "Die Synonyme sind entfernt", "auch", "ohne",
)  # fmt: skip


@pytest.mark.parametrize("spoken", [ENGLISH, GERMAN])
def test_a_word_is_found_under_another(visit: Visit, spoken: Spoken) -> None:
    language, width, word, other = spoken.language, spoken.width, spoken.word, spoken.other
    maren = visit("Maren", language=language)
    maren.open("betrieb-offshore")
    maren.write(f"Die {other} ist seit heute wieder frei.")
    expect(maren.find(other)).to_have_count(1)

    aylin = visit("Aylin", language=language, width=width)
    aylin.expected.append("422")
    page = aylin.page
    page.goto(CONSOLE)
    page.get_by_role("link", name=spoken.new).click()
    dialog = page.locator("#dialog")
    field = dialog.get_by_label(spoken.terms)
    field.fill(word)
    dialog.get_by_role("button", name=spoken.save).click()
    expect(dialog).to_contain_text(spoken.too_few)
    field.fill(f"{word}, {other}")
    dialog.get_by_role("button", name=spoken.save).click()
    row = page.locator("tbody tr", has_text=f"{word}, {other}")
    expect(row).to_have_count(1)
    page.get_by_label(spoken.find).fill(other.upper())
    expect(row).to_have_count(1)
    assert aylin.look() == []
    assert aylin.audit() == []

    page = maren.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/o/nordlicht/search/?q={word}")
    hit, chip = page.locator(".hit", has_text=other), page.locator("#results a.chip")
    expect(hit.locator("mark").first).to_have_text(other)
    expect(chip).to_contain_text(f"{spoken.also}: {other}")
    assert maren.look() == []
    assert maren.audit() == []
    chip.click()
    expect(chip).to_contain_text(f"{spoken.without}: {other}")
    expect(page.locator(".hit mark", has_text=other)).to_have_count(0)
    chip.click()
    expect(chip).to_contain_text(f"{spoken.also}: {other}")
    expect(hit.locator("mark").first).to_have_text(other)

    row.get_by_role("button", name=spoken.remove).click()
    expect(aylin.page.locator("#toasts")).to_contain_text(spoken.gone)
    expect(row).to_have_count(0)
    page.reload()
    expect(chip).to_have_count(0)

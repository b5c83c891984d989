"""Three people say the same word beside what is searched for: it is offered, added as a chip, kept and taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


@dataclass(frozen=True)
class Spoken:
    """What the page says in a language; everybody says `word` with `other`, and one person `other` alone."""

    language: str
    width: int
    word: str
    other: str
    row: str
    related: str


ENGLISH = Spoken("en-GB", 1440, "Blitzrezeptor", "Messwiderstand", "Related words", "related")
GERMAN = Spoken("de-DE", 360, "Ölabscheider", "Dichtmanschette", "Verwandte Wörter", "verwandt")


@pytest.mark.parametrize("spoken", [ENGLISH, GERMAN])
def test_a_word_that_hits_share_is_added_and_taken_out(visit: Visit, spoken: Spoken) -> None:
    word, other = spoken.word, spoken.other
    said = [f"{word} prüfen, {other} neu", f"Am {word} fehlt eine {other}", f"{other} passt zum {word}"]
    for name, text in zip(("Jonas", "Tomasz", "Aylin"), said, strict=True):
        teller = visit(name, language=spoken.language)
        teller.open("allgemein")
        teller.write(text)
    maren = visit("Maren", language=spoken.language)
    maren.open("allgemein")
    alone = f"Noch zwei Stück: die {other} liegt im Lager."
    maren.write(alone)
    expect(maren.find(alone.partition(": ")[2])).to_have_count(1)  # what was said before is in the index, too

    page = maren.page
    page.set_viewport_size({"width": spoken.width, "height": 900})
    page.goto(f"/o/nordlicht/search/?q={word}")
    row = page.get_by_role("group", name=spoken.row)
    chip = page.locator("#results a.chip", has_text=f"{spoken.related}: {other}")
    marked = page.locator(".hit mark", has_text=other)
    expect(marked).to_have_count(0)
    expect(row.get_by_role("link")).to_have_count(1)
    assert maren.look() == []
    assert maren.audit() == []
    row.get_by_role("link", name=other).click()
    expect(chip).to_have_count(1)
    expect(row).to_have_count(0)
    expect(page.locator(".hit", has_text=alone).locator("mark")).to_have_text(other)
    assert maren.look() == []
    assert maren.audit() == []
    page.reload()
    expect(chip).to_have_count(1)
    field = page.locator("#search-form input[name=q]")
    field.press("Enter")
    expect(chip).to_have_count(1)
    chip.click()
    expect(marked).to_have_count(0)
    row.get_by_role("link", name=other).click()
    expect(chip).to_have_count(1)
    field.fill(word[::-1].lower())  # it belongs to another text
    expect(chip).to_have_count(0)

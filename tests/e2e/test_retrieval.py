"""Somebody asks why a hit is there and says whether it was good; an administrator reads the search in the console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.tour import keep
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
CONSOLE = "/o/nordlicht/console/retrieval/"


@dataclass(frozen=True)
class Spoken:
    """What the pages say in a language, at a width and in a theme; `word` is of a message, and is searched for."""

    language: str
    width: int
    theme: str
    word: str
    why: str
    place: str
    age: str
    good: str
    not_meant: str
    bad: str
    asked: str


ENGLISH = Spoken(
    "en-GB", 1440, "dark", "Wellenbock", "Why this hit", "place 1", "The age does not change the place.",
    "Good hit", "Not what I meant", "With a hit that was not meant", "What was asked",
)  # fmt: skip
GERMAN = Spoken(
    "de-DE", 360, "light", "Ankerspill", "Warum dieser Treffer", "Platz 1", "Das Alter ändert den Platz nicht.",
    "Guter Treffer", "Nicht gemeint", "Mit einem Treffer, der nicht gemeint war", "Was gefragt wurde",
)  # fmt: skip


@pytest.mark.parametrize("spoken", [ENGLISH, GERMAN])
def test_a_hit_is_explained_judged_and_read_in_the_console(visit: Visit, spoken: Spoken) -> None:
    language, width, theme, word = spoken.language, spoken.width, spoken.theme, spoken.word
    maren = visit("Maren", language=language, theme=theme)
    maren.open("betrieb-offshore")
    maren.write(f"Der {word} ist geprüft.")
    expect(maren.find(word)).to_have_count(1)

    page = maren.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/o/nordlicht/search/?q={word}")
    hit = page.locator(".hit", has_text=word)
    hit.get_by_role("link", name=spoken.why).click()
    told = hit.locator(".explained")
    expect(told).to_contain_text(spoken.place)
    expect(told).to_contain_text(spoken.age)
    good, bad = (hit.get_by_role("button", name=name) for name in (spoken.good, spoken.not_meant))
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    expect(good).to_have_attribute("aria-pressed", "false")
    assert maren.look() == []
    assert maren.audit() == []
    keep(page, f"hit-explained-{language}")

    aylin = visit("Aylin", language=language, theme=theme, width=width)
    page = aylin.page
    page.goto(CONSOLE)
    page.locator("select[name=which]").select_option(label=spoken.bad)
    row = page.locator("tbody tr", has_text=word)
    expect(row).to_have_count(1)
    assert aylin.look() == []
    assert aylin.audit() == []
    keep(page, f"retrieval-{language}")
    row.get_by_role("link", name=word).click()
    expect(page.get_by_role("heading", name=spoken.asked)).to_be_visible()
    expect(page.locator("tbody tr").first).to_be_visible()
    assert aylin.look() == []
    assert aylin.audit() == []
    keep(page, f"retrieval-search-{language}")

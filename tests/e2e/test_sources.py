"""A folder of the server becomes documents that everybody finds, and what is gone there is gone here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


@dataclass(frozen=True)
class Said:
    """What the page says in a language."""

    language: str
    folder: str
    name: str
    add: str
    ready: str
    gaps: str
    unread: str
    empty: str
    look: str
    remove: str
    along: str


ENGLISH = Said(
    "en-GB", "Folder", "Name", "Add source", "up to date", "with gaps", "1 not read", "The file is empty.",
    "Look at {} now", "Remove {}", "goes with it",
)  # fmt: skip
GERMAN = Said(
    "de-DE", "Ordner", "Name", "Quelle hinzufügen", "auf dem neuesten Stand", "mit Lücken", "1 nicht gelesen",
    "Die Datei ist leer.", "{} jetzt ansehen", "{} entfernen", "geht mit",
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "width", "word"), [(ENGLISH, 1440, "Quaggamuschel"), (GERMAN, 390, "Wollhandkrabbe")]
)
def test_a_folder_becomes_documents_and_goes_again(
    visit: Visit, stack: Stack, said: Said, width: int, word: str
) -> None:
    shelf = stack.folders / "nordlicht" / word.lower()
    shelf.mkdir(parents=True)
    (shelf / "tiere.md").write_text(f"# Tiere\n\nDas Stichwort lautet {word}.\n")
    (shelf / "leer.txt").write_text("")
    aylin, jonas = visit("Aylin", language=said.language, width=width), visit("Jonas")
    page = aylin.page
    page.goto("/o/nordlicht/console/sources/")
    dialog = page.locator("#dialog")
    page.get_by_role("link", name=said.add).click()
    kind = dialog.get_by_role("link", name=re.compile(f"^{said.folder}"))
    expect(kind).to_be_visible()
    assert aylin.look() + aylin.audit() == []
    kind.click()
    dialog.get_by_label(said.name, exact=True).fill(word)
    dialog.locator("[name=path]").fill(shelf.name)
    assert aylin.look() + aylin.audit() == []
    dialog.get_by_role("button", name=said.add).click()
    row = page.get_by_role("row", name=word)
    expect(row).to_contain_text(said.gaps, timeout=60_000)
    expect(jonas.find(word).first).to_be_visible()
    assert aylin.look() + aylin.audit() == []

    page.goto("/o/nordlicht/console/sources/")
    link = row.get_by_role("link", name=said.unread)
    where = link.get_attribute("href") or ""
    page.goto(where)
    expect(page.get_by_text(said.empty)).to_be_visible()
    (shelf / "leer.txt").unlink()
    (shelf / "tiere.md").unlink()
    page.goto("/o/nordlicht/console/sources/")
    row.get_by_role("button", name=said.look.format(word)).click()
    expect(row).to_contain_text(said.ready, timeout=60_000)
    jonas.page.goto(f"/o/nordlicht/search/?q={word}")
    expect(jonas.page.locator(".hit", has_text=word)).to_have_count(0)

    row.get_by_role("link", name=said.remove.format(word)).click()
    dialog.get_by_label(said.along).check()
    assert aylin.look() + aylin.audit() == []
    dialog.locator("button[type=submit]").click()
    expect(row).to_have_count(0, timeout=60_000)


def test_keys_lead_to_the_form_and_to_what_is_wrong_in_it(visit: Visit) -> None:
    aylin = visit("Aylin")
    page, dialog = aylin.page, aylin.page.locator("#dialog")
    aylin.expected.append("422")
    page.goto("/o/nordlicht/console/sources/")
    page.get_by_role("link", name="Add source").press("Enter")
    expect(dialog.get_by_role("link", name="Web addresses")).to_be_focused()
    page.keyboard.press("Enter")
    name = dialog.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    name.fill("Inside")
    dialog.get_by_label("Addresses").fill("http://10.0.0.5:8080/")
    dialog.get_by_role("button", name="Add source").press("Enter")
    expect(dialog.get_by_label("Addresses")).to_be_focused()
    expect(dialog.get_by_text("http://10.0.0.5:8080 is inside a private network.")).to_be_visible()
    assert aylin.look() + aylin.audit() == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_without_scripts_a_source_is_chosen_and_added(visit: Visit) -> None:
    page = visit("Aylin", scripts=False).page
    page.goto("/o/nordlicht/console/sources/")
    page.get_by_role("link", name="Add source").click()
    page.get_by_role("link", name=re.compile("^Folder")).click()
    page.get_by_label("Name", exact=True).fill("Without scripts")
    page.locator("[name=path]").fill("nowhere")
    page.get_by_role("button", name="Add source").click()
    row = page.get_by_role("row", name="Without scripts")
    expect(row).to_be_visible()
    row.get_by_role("link", name="Remove Without scripts").click()
    page.get_by_role("button", name="Remove source").click()
    expect(row).to_have_count(0)

"""The page of documents: files are added to the library, read, found by their name, renamed, replaced, deleted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


@dataclass(frozen=True)
class Said:
    """What the page says in a language."""

    language: str
    area: str
    ready: str
    library: str
    program: str
    refused: str
    own: str
    kind: str
    change: str
    rename: str
    renamed: str
    replace: str
    replaced: str
    delete: str
    sure: str
    gone: str


ENGLISH = Said(
    "en-GB", "Documents", "ready", "Library, fahrplan.md", "Programs cannot be uploaded.",
    "Documents can be text, Markdown, HTML, CSV, PDF, Word or Excel files.", "Added by me", "Markdown",
    "Rename or replace", "Rename", "It is called Sommerfahrplan now", "Replace",
    "The new version of Sommerfahrplan is being read", "Delete Sommerfahrplan", "Delete document",
    "Sommerfahrplan is deleted",
)  # fmt: skip
GERMAN = Said(
    "de-DE", "Dokumente", "bereit", "Bibliothek, fahrplan.md", "Programme lassen sich nicht hochladen.",
    "Dokumente können Text, Markdown, HTML, CSV, PDF, Word oder Excel sein.", "Von mir aufgenommen", "Markdown",
    "umbenennen oder ersetzen", "Umbenennen", "Es heißt jetzt Sommerfahrplan", "Ersetzen",
    "Die neue Fassung von Sommerfahrplan wird gelesen", "Sommerfahrplan löschen", "Dokument löschen",
    "Sommerfahrplan ist gelöscht",
)  # fmt: skip


@pytest.mark.parametrize(("said", "width", "theme"), [(ENGLISH, 1280, "light"), (GERMAN, 360, "dark")])
def test_files_are_added_to_the_library_and_what_is_no_document_says_why(
    visit: Visit, tmp_path: Path, said: Said, width: int, theme: str
) -> None:
    (tmp_path / "fahrplan.md").write_text("# Fahrplan\n\nDie Fähre Zwirbelbö legt um neun ab.\n")
    (tmp_path / "sommer.txt").write_text("Die Fähre Zwirbelbö legt um zehn ab.\n")
    (tmp_path / "werkzeug.exe").write_bytes(b"MZ" + bytes(200))
    with zipfile.ZipFile(tmp_path / "bilder.zip", "w") as packed:
        packed.writestr("a.txt", "a")
    jonas = visit("Jonas", language=said.language, width=width, theme=theme)
    page = jonas.page
    jonas.expected.append("415")
    page.goto("/o/nordlicht/documents/")
    expect(page.get_by_role("heading", name=said.area, exact=True)).to_be_visible()
    page.locator("[data-pick]").set_input_files(
        [tmp_path / name for name in ("fahrplan.md", "werkzeug.exe", "bilder.zip")]
    )
    row = page.locator("#found tr", has_text="fahrplan.md")
    expect(row).to_contain_text(said.library)
    expect(row).to_contain_text(said.ready, timeout=60_000)
    bad = page.locator("[data-adds] .file--bad")
    expect(bad).to_have_count(2)  # one is no file that is taken, one is taken and no document
    for name, refused in (("werkzeug.exe", said.program), ("bilder.zip", said.refused)):
        expect(bad.filter(has_text=name)).to_contain_text(refused)
    assert jonas.look() == []
    for _ in range(2):
        bad.locator("[data-cancel]").first.click()
    expect(page.locator("[data-adds]")).to_be_hidden()

    page.locator("form[data-filter] [name=q]").fill("fahrpl")
    page.wait_for_url(re.compile("q=fahrpl"))
    expect(page.locator("#found tbody tr")).to_have_count(1)
    page.locator("form[data-filter] [name=place]").select_option(label=said.own)
    page.wait_for_url(re.compile("place=own"))
    expect(page.locator("#found tbody tr")).to_have_count(1)
    page.locator("form[data-filter] [name=kind]").select_option(label=said.kind)
    page.wait_for_url(re.compile("kind=markdown"))
    expect(page.locator("#found tbody tr")).to_have_count(1)
    expect(row).to_contain_text(f"{said.kind}, ")

    row.get_by_role("link", name=said.change).click()
    dialog = page.locator("dialog")
    dialog.locator("[name=title]").fill("Sommerfahrplan")
    assert jonas.look() == []
    dialog.get_by_role("button", name=said.rename, exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(said.renamed)
    row = page.locator("#found tr", has_text="Sommerfahrplan")
    row.get_by_role("link", name=said.change).click()
    dialog.locator("[name=chosen]").set_input_files(tmp_path / "sommer.txt")
    dialog.get_by_role("button", name=said.replace, exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(said.replaced)
    expect(row).to_contain_text("sommer.txt", timeout=60_000)
    row.get_by_role("link", name=said.delete).click()
    page.locator("dialog").get_by_role("button", name=said.sure).click()
    expect(page.locator("#toasts")).to_contain_text(said.gone)
    page.goto("/o/nordlicht/documents/?q=sommerf")
    expect(page.locator("#found tbody tr")).to_have_count(0)
    assert jonas.look() == []

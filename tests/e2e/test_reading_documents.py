"""A document that is dropped into a conversation is read page by page; a page that cannot be read is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def _report(place: Path) -> Path:
    """Write a PDF of three pages; the second is a picture."""
    canvas = Canvas(str(place / "pruefbericht.pdf"), pagesize=A4)
    canvas.drawString(72, 720, "Das Hebezeug Quirlix wurde am 3. November geprüft.")
    canvas.showPage()
    canvas.drawImage(ImageReader(Image.effect_noise((1200, 1700), 80)), 0, 0, *A4)
    canvas.showPage()
    canvas.drawString(72, 720, "Die nächste Prüfung ist im Mai fällig.")
    canvas.showPage()
    canvas.save()
    return place / "pruefbericht.pdf"


def test_an_attached_document_is_read_and_its_failed_page_is_named(visit: Visit, tmp_path: Path) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("betrieb-offshore")
    jonas.open("betrieb-offshore")
    maren.page.locator("#main [data-pick]").set_input_files(_report(tmp_path))
    expect(maren.page.locator("#main [data-files] .file__note", has_text="ready")).to_be_visible()
    maren.write("Der Prüfbericht ist da")
    note = jonas.message("Der Prüfbericht ist da").locator("[data-reading-state]")
    expect(note).to_contain_text("1 of 3 pages could not be read: page 2", timeout=60_000)
    own = maren.message("Der Prüfbericht ist da").locator("[data-reading-state]")
    own.get_by_role("button", name="Try again").click()
    expect(own).to_contain_text("1 of 3 pages could not be read: page 2", timeout=60_000)

    maren.find("Quirlix")
    maren.page.locator(".hit__title", has_text="pruefbericht").first.click()
    expect(maren.page.locator("rect.mark").first).to_be_in_viewport()
    maren.page.get_by_role("link", name="Text", exact=True).click()
    expect(maren.page.locator(".viewer__text")).to_contain_text("Quirlix")


def test_a_plain_file_is_searchable_and_a_damaged_one_says_why(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "protokoll.md").write_text("# Protokoll\n\nDas Stichwort lautet Zwergkaiman.\n")
    (tmp_path / "kaputt.pdf").write_bytes(b"%PDF-1.7\n" + b"nothing of a PDF follows" * 50)
    maren = visit("Maren")
    maren.open("betrieb-offshore")
    files = [tmp_path / "protokoll.md", tmp_path / "kaputt.pdf"]
    maren.page.locator("#main [data-pick]").set_input_files(files)
    expect(maren.page.locator("#main [data-files] .file__note", has_text="ready")).to_have_count(2)
    maren.write("Zwei Anlagen")
    notes = maren.message("Zwei Anlagen").locator("[data-reading-state]")
    expect(notes.nth(0)).to_have_text("1 page, can be searched", timeout=60_000)
    expect(notes.nth(1)).to_contain_text("The file is damaged.", timeout=60_000)
    expect(maren.find("Zwergkaiman").first).to_be_visible()


@pytest.mark.parametrize(
    ("language", "width", "told"),
    [
        ("en-GB", 1440, re.compile("still being read; results may be missing")),
        ("de-DE", 360, re.compile("noch gelesen; Treffer können fehlen")),
    ],
)
def test_a_search_meanwhile_says_that_results_may_be_missing(
    visit: Visit, tmp_path: Path, language: str, width: int, told: re.Pattern[str]
) -> None:
    pages = (f"# Blatt {number}\n\n{f'Zeile {number} von {width}. ' * 140}\n" for number in range(30))
    (tmp_path / f"logbuch-{width}.md").write_text("\n".join([*pages, f"Zum Schluss Kormoran{width}.\n"]))
    jonas, maren = visit("Jonas"), visit("Maren", language=language, width=width)
    jonas.open("betrieb-offshore")
    jonas.page.locator("#main [data-pick]").set_input_files(tmp_path / f"logbuch-{width}.md")
    expect(jonas.page.locator("#main [data-files] .file__note", has_text="ready")).to_be_visible()
    jonas.write(f"Das Logbuch {width}")
    address, notice = f"/o/nordlicht/search/?q=Kormoran{width}", maren.page.locator("#results .notice__title")
    for _ in range(150):  # the document is there a moment after its message
        maren.page.goto(address)
        if notice.count():
            break
    expect(notice).to_have_text(told)
    assert maren.look() == []
    hit = maren.find(f"Kormoran{width}")
    for _ in range(150):
        if not notice.count():
            break
        maren.page.goto(address)
    expect(notice).to_have_count(0)
    expect(hit.first).to_contain_text(f"Kormoran{width}")

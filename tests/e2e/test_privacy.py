"""What one is held to have said is handed over, and goes when two administrators want it to."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
PASSWORD = "forty quiet herons wade"
ADDRESS = "paula.petersen@nordlicht.example"
SAID = "Der Schlüssel liegt jetzt im Kontor"


def invited(administrator: Visitor, newcomer: Visitor) -> None:
    """Let somebody in by an invitation."""
    page = administrator.page
    page.goto("/o/nordlicht/console/people/")
    page.get_by_role("link", name="Invite").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("E-mail").fill(ADDRESS)
    dialog.get_by_role("button", name="Invite").click()
    newcomer.page.goto(dialog.locator("[data-secret]").text_content() or "")
    newcomer.page.get_by_label("Name").fill("Paula Petersen")
    newcomer.page.get_by_label("Password").fill(PASSWORD)
    newcomer.page.get_by_role("button", name="Create account and join").click()
    newcomer.page.wait_for_url("**/o/nordlicht/**")


@pytest.fixture
def paula(visit: Visit) -> Visitor:
    """A new colleague who has written one message in a channel everybody reads."""
    paula = visit(None)
    invited(visit("Aylin"), paula)
    paula.page.goto("/o/nordlicht/channels/")
    paula.page.locator("#channels li", has_text="allgemein").get_by_role("button", name="Join").click()
    expect(paula.page.locator("[data-conversation-name]")).to_have_text("allgemein")
    paula.write(SAID)
    return paula


def test_a_person_takes_its_data_and_two_administrators_erase_it(
    visit: Visit, paula: Visitor, tmp_path: Path
) -> None:
    own = paula.page
    own.goto("/o/nordlicht/privacy/")
    own.get_by_role("button", name="Export my data").click()
    link = own.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    with own.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "data.zip")
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        assert json.loads(archive.read("manifest.json"))["members"]
    assert any(SAID in text for text in texts)

    aylin, maren = visit("Aylin"), visit("Maren")
    maren.open("allgemein")
    expect(maren.message(SAID)).to_be_visible()
    asking = aylin.page
    asking.goto("/o/nordlicht/console/privacy/")
    asking.get_by_role("link", name="New request").click()
    dialog = asking.locator("#dialog")
    dialog.get_by_label("What").select_option(label="Erase the person; a second administrator approves")
    dialog.get_by_label("Person", exact=True).select_option(label=f"Paula Petersen, {ADDRESS}")
    dialog.get_by_label("Reason").fill("Has left the company and asked for it.")
    dialog.get_by_role("button", name="Ask for it").click()
    expect(asking.get_by_role("heading", name="Paula Petersen")).to_be_visible()
    expect(asking.get_by_text("Another administrator approves it")).to_be_visible()
    expect(asking.get_by_role("button", name="Approve and erase")).to_have_count(0)

    deciding = visit("Maren").page
    deciding.goto(asking.url)
    paula.expected += ["WebSocket", "401", "403", "404"]
    deciding.get_by_role("button", name="Approve and erase").click()
    certificate = deciding.get_by_role("link", name="Certificate")
    expect(certificate).to_be_visible(timeout=120_000)  # some forty steps, and the search of all tables
    expect(deciding.get_by_text("seal is genuine")).to_be_visible()
    expect(deciding.get_by_text("0 places with data of the person")).to_be_visible()
    with deciding.expect_download() as download:
        certificate.click()
    told = Path(download.value.path()).read_text()
    assert "Paula" not in told
    assert ADDRESS not in told
    expect(maren.message(SAID)).to_have_count(0)
    own.reload()
    own.wait_for_url("**/accounts/login/**")

"""An export of Slack becomes conversations, and a conversation becomes an archive."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.chat.slack.exports import said, small
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_an_export_of_slack_is_looked_through_and_stored(visit: Visit, tmp_path: Path) -> None:
    export = small()
    export.users[0]["profile"]["email"] = "nobody@slack.example"
    linked = {"id": "F00000002", "name": "map.png", "url_private": "https://files.slack.example/map.png"}
    export.say("general", said(60, "U1", "the old harbour map", files=[linked]))
    archive = tmp_path / "slack.zip"
    archive.write_bytes(export.zipped())
    aylin = visit("Aylin")
    page = aylin.page
    page.goto("/o/nordlicht/console/imports/")
    page.get_by_label("Export of Slack").set_input_files(archive)
    page.get_by_role("button", name="Look through it").click()
    expect(page.get_by_text("waits for you")).to_be_visible()
    expect(page.get_by_role("row", name="general")).to_contain_text("7")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="What was imported")).to_be_visible(timeout=60_000)
    page.goto("/o/nordlicht/channels/")
    page.locator("#channels li", has_text="general").get_by_role("button", name="Join").click()
    expect(aylin.message("the old harbour map")).to_be_visible()
    expect(page.locator(".conv[aria-current] .count")).to_have_count(0)
    aylin.find("harbour")
    expect(page.get_by_text("the old harbour map").first).to_be_visible()


def test_a_conversation_is_exported_by_who_manages_it(visit: Visit, tmp_path: Path) -> None:
    aylin = visit("Aylin")
    page = aylin.page
    aylin.open("allgemein")
    aylin.write("this goes into the archive")
    page.goto(page.url.split("?")[0].rstrip("/") + "/about/")
    page.get_by_role("button", name="Export").click()
    link = page.locator("#exports").get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "data.zip")
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert b"this goes into the archive" in archive.read("conversation.html")


def test_the_organization_is_exported_by_its_owner_and_nobody_else(visit: Visit, tmp_path: Path) -> None:
    owner = visit("Maren")
    owner.open("allgemein")
    owner.write("this leaves with the whole house")
    page = owner.page
    page.goto("/o/nordlicht/console/privacy/")
    page.get_by_role("button", name="Export the organization").click()
    exports = page.locator("#organization")
    link = exports.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "house.zip")
    with zipfile.ZipFile(tmp_path / "house.zip") as archive:
        assert archive.testzip() is None
        messages = archive.read("data/chat_message.jsonl")
        names = archive.namelist()
    assert b"this leaves with the whole house" in messages
    assert "data/accounts_member.jsonl" in names
    address = link.get_attribute("href") or ""
    administrator = visit("Aylin").page
    assert administrator.request.get(address).status == 404
    administrator.goto("/o/nordlicht/console/privacy/")
    expect(administrator.get_by_role("heading", name="Privacy", exact=True)).to_be_visible()
    expect(administrator.get_by_role("button", name="Export the organization")).to_have_count(0)

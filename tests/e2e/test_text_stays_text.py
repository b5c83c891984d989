"""Whatever people write, nothing of it runs: in messages, names, files, search, lists, dialogs and answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor
from tests.security.hostile import MARK, SCRIPTS, mutations
from tests.security.sizes import by_size, note

Visit = Callable[..., Visitor]

PAYLOADS = SCRIPTS
AT_ONCE = 25  # with the four that follow still one window of messages


def test_nothing_that_was_written_runs(visit: Visit, tmp_path: Path) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    foreign: list[str] = []
    for visitor in (maren, jonas):
        visitor.page.on(
            "request", lambda request: foreign.append(request.url) if "canary" in request.url else None
        )
        visitor.page.on("dialog", lambda dialog: foreign.append(dialog.message))
    maren.page.goto("/o/nordlicht/channels/new/")
    maren.page.fill('[name="name"]', "text-bleibt-text")
    maren.page.fill('[name="description"]', PAYLOADS[0])
    maren.page.locator("#main button[type=submit]").click()
    expect(maren.page.locator("[data-conversation-description]")).to_have_text(PAYLOADS[0])
    maren.page.goto(maren.page.url.partition("/c/")[0] + "/settings/")
    maren.page.fill("#profile_title", PAYLOADS[1])
    maren.page.get_by_role("button", name="Save profile").click()
    expect(maren.page.locator("#profile_title")).to_have_value(PAYLOADS[1])

    jonas.page.goto("/o/nordlicht/channels/")
    jonas.page.locator("#channels li", has_text="text-bleibt-text").get_by_role("button", name="Join").click()
    jonas.page.wait_for_url("**/c/**")
    maren.page.goto(jonas.page.url)
    field = maren.page.locator("#main [data-text]")
    for payload in PAYLOADS:
        field.fill(payload)
        field.press("Enter")
    expect(jonas.page.locator("#main .message[data-sequence]")).to_have_count(len(PAYLOADS))
    (tmp_path / "a.txt").write_text("<script>window.zqran=1</script>")
    maren.page.locator("#main [data-pick]").set_input_files(
        {
            "name": "<img src=x onerror=window.zqran=1>.txt",
            "mimeType": "text/plain",
            "buffer": b"<script>1</script>",
        }
    )
    expect(maren.page.locator("#main [data-files] .file__note", has_text="ready")).to_be_visible()
    maren.write("Datei mit Namen")

    for visitor in (maren, jonas):
        visitor.page.reload()
        expect(visitor.page.locator("#main .message[data-sequence]")).to_have_count(len(PAYLOADS) + 1)
        for message in visitor.page.locator("#main .message__text").all()[:4]:
            message.hover()
        visitor.page.locator("#main a[title*='member']").click()
        expect(visitor.page.locator("#dialog")).to_contain_text("Maren Thiessen")
        visitor.page.keyboard.press("Escape")
        visitor.page.goto("/o/nordlicht/search/?q=" + f"%3Cscript%3Ewindow.{MARK}")
        expect(visitor.page.locator("#results-title")).to_be_attached()
    jonas.page.goto("/o/nordlicht/ask/")
    jonas.page.fill("[name=question]", PAYLOADS[7])
    jonas.page.press("[name=question]", "Enter")
    expect(jonas.page.locator(".question")).to_have_text(PAYLOADS[7])
    expect(jonas.page.locator(".answer")).not_to_have_attribute("aria-busy", "true")

    assert foreign == []
    assert [visitor.page.evaluate(f"window.{MARK}") for visitor in (maren, jonas)] == [None, None]
    assert "/o/nordlicht/" in jonas.page.url
    maren.page.goto("/o/nordlicht/settings/")
    maren.page.fill("#profile_title", "Betriebsleitung")
    maren.page.get_by_role("button", name="Save profile").click()
    expect(maren.page.locator("#profile_title")).to_have_value("Betriebsleitung")


def ask(stack: Stack, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call the API as Maren."""
    request = urllib.request.Request(
        f"{stack.url}/api/v1/{path}",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {stack.person('Maren')['api_key']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def is_said(stack: Stack, channel: str, text: str) -> bool:
    """Send a message as Maren, who means it where it mentions all; what holds control characters is refused."""
    body = {"body": text, "client_key": uuid4().hex, "confirm_mass_mention": True}
    try:
        ask(stack, f"conversations/{channel}/messages/", body)
    except urllib.error.HTTPError as refused:
        if [error["code"] for error in json.load(refused)["errors"]] != ["control"]:
            raise
        return False
    return True


@pytest.mark.timeout(900)
def test_no_mutation_of_a_script_runs(stack: Stack, visit: Visit) -> None:
    """SEC-12 in full: 400 mutations, drawn by the server and again by the page's own scripts."""
    maren = visit("Maren")
    foreign: list[str] = []
    maren.page.on(
        "request",
        lambda request: foreign.append(request.url) if not request.url.startswith(stack.url) else None,
    )
    texts, ran, left = list(mutations(by_size(quick=20, standard=100, full=400))), 0, 0
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        channel = ask(stack, "conversations/", {"kind": "channel", "name": f"mutations-{uuid4().hex[:8]}"})[
            "id"
        ]
        shown = [text for text in part if is_said(stack, channel, text)]
        address = f"{stack.url}/o/nordlicht/c/{channel}/"
        maren.page.goto(address)
        expect(maren.page.locator("#main .message[data-sequence]")).to_have_count(len(shown))
        for text in shown[:4]:  # drawn by the script that hears of them
            is_said(stack, channel, text)
        expect(maren.page.locator("#main .message[data-sequence]")).to_have_count(len(shown) + len(shown[:4]))
        ran += maren.page.evaluate(f"window.{MARK} ? 1 : 0")
        left += not maren.page.url.startswith(address)
    for name, value in (("runs", ran), ("navigations", left), ("requests_elsewhere", len(foreign))):
        note(f"sec12.browser.{name}", value)
    note("sec12.browser.texts", len(texts), goal=None)
    assert (ran, left, foreign) == (0, 0, [])

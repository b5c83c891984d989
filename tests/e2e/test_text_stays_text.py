"""Whatever people write, nothing of it runs: in messages, names, files, search, lists, dialogs and answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]

PAYLOADS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=window.ran=1>",
    "<svg onload=window.ran=1></svg>",
    "<a href=javascript:window.ran=1>klick</a>",
    "[klick](javascript:window.ran=1)",
    "[klick](data:text/html,<script>window.ran=1</script>)",
    "![bild](https://canary.invalid/p.png)",
    '"><script>window.ran=1</script>',
    "' onmouseover='window.ran=1",
    "`<script>window.ran=1</script>`",
    "```html\n<script>window.ran=1</script>\n```",
    "<iframe src=https://canary.invalid></iframe>",
    "<style>*{background:url(https://canary.invalid/css)}</style>",
    "<form action=https://canary.invalid><button>x</button></form>",
    '<div hx-get="/accounts/logout/" hx-trigger="load">x</div>',
    '<div x-data x-init="window.ran=1">x</div>',
    '<span class="mention" data-principal="">@all</span>',
    "{{ 7 * 7 }}{% now 'Y' %}",
    "</textarea><script>window.ran=1</script>",
    "--><script>window.ran=1</script><!--",
    "<math><mtext><table><mglyph><style><img src onerror=window.ran=1>",
    "<noscript><p title='</noscript><img src=x onerror=window.ran=1>'>",
]


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
    maren.page.fill('[name="topic"]', PAYLOADS[0])
    maren.page.locator("#main button[type=submit]").click()
    expect(maren.page.locator("[data-conversation-topic]")).to_have_text(PAYLOADS[0])
    maren.page.goto(maren.page.url.partition("/c/")[0] + "/settings/")
    maren.page.fill("#profile_title", PAYLOADS[1])
    maren.page.get_by_role("button", name="Save profile").click()
    expect(maren.page.locator("#profile_title")).to_have_value(PAYLOADS[1])

    jonas.page.goto("/o/nordlicht/channels/")
    jonas.page.locator("#channels li", has_text="text-bleibt-text").get_by_role("button", name="Join").click()
    maren.page.goto(jonas.page.url)
    field = maren.page.locator("#main [data-text]")
    for payload in PAYLOADS:
        field.fill(payload)
        field.press("Enter")
    expect(jonas.page.locator("#main .message[data-sequence]")).to_have_count(len(PAYLOADS))
    (tmp_path / "a.txt").write_text("<script>window.ran=1</script>")
    maren.page.locator("#main [data-pick]").set_input_files(
        {
            "name": "<img src=x onerror=window.ran=1>.txt",
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
        visitor.page.goto("/o/nordlicht/search/?q=" + "%3Cscript%3Ewindow.ran")
        expect(visitor.page.locator("#results-title")).to_be_attached()
    jonas.page.goto("/o/nordlicht/ask/")
    jonas.page.fill("[name=question]", PAYLOADS[7])
    jonas.page.press("[name=question]", "Enter")
    expect(jonas.page.locator(".question")).to_have_text(PAYLOADS[7])
    expect(jonas.page.locator(".answer")).not_to_have_attribute("aria-busy", "true")

    assert foreign == []
    assert [visitor.page.evaluate("window.ran") for visitor in (maren, jonas)] == [None, None]
    assert "/o/nordlicht/" in jonas.page.url
    maren.page.goto("/o/nordlicht/settings/")
    maren.page.fill("#profile_title", "Betriebsleitung")
    maren.page.get_by_role("button", name="Save profile").click()
    expect(maren.page.locator("#profile_title")).to_have_value("Betriebsleitung")

"""A thread with more replies than a panel shows at first."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_long_thread_is_read_to_both_ends_and_answered_from_its_middle(visit: Visit, stack: Stack) -> None:
    maren = visit("Maren")
    maren.open("einkauf")
    maren.write("Wer zählt mit?")
    root = maren.message("Wer zählt mit?").last.get_attribute("data-message")
    conversation = maren.page.locator("#main [data-stream]").get_attribute("data-conversation")
    keys = [stack.person(name)["api_key"] for name in ("Jonas", "Tomasz")]  # one alone would come too fast
    replies: list[str] = []
    for number in range(1, 96):
        answer = maren.page.context.request.post(
            f"/api/v1/conversations/{conversation}/messages/",
            headers={"Authorization": f"Bearer {keys[number % 2]}"},
            data={"body": f"Zahl {number}.", "client_key": uuid4().hex, "thread": root},
        )
        assert answer.status == 201, answer.text()
        replies.append(answer.json()["id"])

    maren.message("Wer zählt mit?").last.locator(".thread-link").click()
    panel = maren.page.locator("#panel")
    expect(maren.message("Zahl 95.", where="#panel")).to_be_visible()
    expect(panel.locator(".divider[data-replies]")).to_have_text("95 replies")
    expect(maren.message("Zahl 3.", where="#panel")).to_have_count(0)
    panel.locator("[data-stream]").evaluate("stream => { stream.scrollTop = 0; }")
    expect(maren.message("Zahl 1.", where="#panel")).to_have_count(1)
    expect(panel.locator(".message[data-sequence]")).to_have_count(96)

    maren.page.goto(f"/o/nordlicht/c/{conversation}/m/{replies[10]}/")
    expect(maren.message("Zahl 11.", where="#panel")).to_be_focused()
    expect(maren.message("Zahl 95.", where="#panel")).to_have_count(0)
    maren.write("Ich zähle mit", where="#panel")
    expect(maren.message("Zahl 95.", where="#panel")).to_be_visible()
    expect(panel.locator(".message").first).to_contain_text("Wer zählt mit?")
    expect(panel.locator(".divider[data-replies]")).to_have_text("96 replies")

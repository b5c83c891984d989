"""What others change while one reads: the page follows, and nothing that is being written is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.test_topics import new_channel
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
Ask = Callable[..., Any]


@pytest.fixture
def ask(visit: Visit, stack: Stack) -> Ask:
    """Ask the API as somebody."""
    request = visit("Tomasz").page.context.request

    def call(name: str, method: str, path: str, **data: object) -> Any:
        answer = request.fetch(
            f"/api/v1/{path}",
            method=method,
            headers={"Authorization": f"Bearer {stack.person(name)['api_key']}"},
            data=data or None,
        )
        assert answer.ok, answer.text()
        return answer.json() if answer.body() else None

    return call


def join(visitor: Visitor, name: str) -> str:
    """Join a channel; return its id."""
    visitor.page.goto(f"/o/nordlicht/channels/?q={name}")
    visitor.page.get_by_role("button", name="Join").click()
    expect(visitor.page.locator("[data-conversation-name]")).to_have_text(name)
    return visitor.page.locator("#main [data-stream]").get_attribute("data-conversation") or ""


def test_the_number_of_members_follows_who_comes_and_goes(visit: Visit) -> None:
    maren, tomasz = visit("Maren"), visit("Tomasz")
    new_channel(maren, "kommen-und-gehen")
    members = maren.page.locator("#main .bar__tools").get_by_title(re.compile("members?$"))
    expect(members.locator(".num")).to_have_text("1")
    maren.page.locator("#main [data-text]").fill("Ein halber Satz")
    members.focus()
    join(tomasz, "kommen-und-gehen")
    expect(members.locator(".num")).to_have_text("2")
    expect(members).to_be_focused()
    expect(maren.page.locator("#main [data-text]")).to_have_value("Ein halber Satz")
    tomasz.page.get_by_title("About this conversation").click()
    tomasz.page.locator("#dialog").get_by_role("button", name="Leave channel").click()
    expect(members.locator(".num")).to_have_text("1")
    members.click()
    expect(maren.page.locator("#dialog")).to_contain_text("Maren Thiessen")


def test_a_channel_is_closed_and_opened_again_while_one_writes(visit: Visit, ask: Ask) -> None:
    maren, tomasz = visit("Maren"), visit("Tomasz")
    new_channel(maren, "werft")
    channel, field = f"conversations/{join(tomasz, 'werft')}/", tomasz.page.locator("#main [data-text]")
    field.fill("Ein halber Satz")
    ask("Maren", "PATCH", channel, is_archived=True)
    expect(tomasz.page.locator("#main .composer")).to_contain_text("This channel is archived")
    expect(field).to_have_count(0)
    expect(tomasz.page.locator(".bar__tools .tag")).to_have_text("Archived")
    expect(tomasz.page.locator("#main [data-stream]")).to_have_attribute("data-closed", "")
    ask("Maren", "PATCH", channel, is_archived=False)
    expect(field).to_have_value("Ein halber Satz")
    field.fill("Ein ganzer Satz.")
    ask("Maren", "PATCH", channel, who_posts="announcers")
    expect(tomasz.page.locator("#main [data-announcers]")).to_be_visible()
    ask("Maren", "PATCH", channel, who_posts="everyone")
    expect(field).to_have_value("Ein ganzer Satz.")
    field.press("Enter")
    expect(maren.message("Ein ganzer Satz.")).to_be_visible()


def test_replies_stay_when_the_message_they_answer_goes(visit: Visit, ask: Ask) -> None:
    maren = visit("Maren")
    maren.open("einkauf")
    channel = maren.page.locator("#main [data-stream]").get_attribute("data-conversation")

    def say(name: str, body: str, **fields: object) -> str:
        path = f"conversations/{channel}/messages/"
        made: str = ask(name, "POST", path, body=body, client_key=uuid4().hex, **fields)["id"]
        return made

    root = say("Tomasz", "Wer braucht Tauwerk?")
    replies = [say("Jonas", f"Ich, {number} Meter", thread=root) for number in (30, 40, 50)]
    link = maren.page.locator(f'#main [data-message="{root}"] .thread-link')
    expect(link).to_contain_text("3 replies")
    ask("Jonas", "DELETE", f"messages/{replies[0]}/")
    expect(link).to_contain_text("2 replies")
    ask("Jonas", "POST", f"messages/{replies[0]}/restore/")
    expect(link).to_contain_text("3 replies")
    link.click()
    expect(maren.page.locator("#panel .divider[data-replies]")).to_have_text("3 replies")
    ask("Jonas", "DELETE", f"messages/{replies[0]}/")
    expect(maren.page.locator("#panel .divider[data-replies]")).to_have_text("2 replies")
    ask("Tomasz", "DELETE", f"messages/{root}/")
    expect(maren.page.locator(f'#main [data-message="{root}"]')).to_contain_text("This message was deleted.")
    expect(link).to_contain_text("2 replies")
    maren.page.goto(f"/o/nordlicht/c/{channel}/")
    link.click()
    expect(maren.message("Ich, 50 Meter", where="#panel")).to_be_visible()


def test_many_votes_are_drawn_in_few_turns_and_the_last_one_stands(visit: Visit, ask: Ask) -> None:
    maren = visit("Maren")
    maren.open("einkauf")
    channel = maren.page.locator("#main [data-stream]").get_attribute("data-conversation")
    options = ["Montag", "Dienstag"]
    poll = ask(
        "Jonas", "POST", f"conversations/{channel}/polls/", question="Wann?", options=options,
        client_key=uuid4().hex,
    )["id"]  # fmt: skip
    row = maren.page.locator(f'#main [data-message="{poll}"]')
    expect(row.locator(".poll__option")).to_have_count(2)
    asked: list[str] = []
    maren.page.on(
        "request", lambda request: asked.append(request.url) if "/fragment/" in request.url else None
    )
    held = maren.hold(
        f"**/m/{poll}/fragment/**", lambda: ask("Jonas", "PUT", f"messages/{poll}/votes/", options=[0])
    )
    for number in range(11):
        ask("Jonas", "PUT", f"messages/{poll}/votes/", options=[1 - number % 2])
    held.continue_()
    expect(row.locator(".poll__option").nth(1)).to_contain_text("1")
    expect(row.locator(".poll__option").nth(0)).to_contain_text("0")
    assert len(asked) <= 4


def test_a_long_window_is_cut_at_the_far_end(visit: Visit, ask: Ask) -> None:
    maren = visit("Maren")
    new_channel(maren, "logbuch")
    channel = maren.page.locator("#main [data-stream]").get_attribute("data-conversation")
    join(visit("Jonas"), "logbuch")

    def say(numbers: range) -> None:
        for number in numbers:
            body = f"Eintrag {number}."
            ask(
                "Maren" if number % 2 else "Jonas", "POST", f"conversations/{channel}/messages/",
                body=body, client_key=uuid4().hex,
            )  # fmt: skip

    stream = maren.page.locator("#main [data-stream]")
    rows = maren.page.locator("#main .message[data-sequence]")
    stream.evaluate("stream => { stream.dataset.most = '150'; }")
    say(range(1, 171))
    expect(maren.message("Eintrag 170.")).to_be_in_viewport()
    assert rows.count() <= 151
    expect(maren.message("Eintrag 2.")).to_have_count(0)
    # above it goes on as if nothing had been cut, and then the other end is
    oldest = int(rows.first.locator(".message__text").inner_text().split()[1].rstrip("."))
    while oldest > 1:
        stream.evaluate("stream => { stream.scrollTop = 0; }")
        oldest = max(1, oldest - 50)
        expect(maren.message(f"Eintrag {oldest}.")).to_have_count(1)
    expect(maren.message("Eintrag 170.")).to_have_count(0)
    assert rows.count() <= 151
    expect(maren.page.locator("#main .divider[data-day]")).to_have_count(1)
    maren.page.get_by_role("button", name="Jump to newest").click()
    expect(maren.message("Eintrag 170.")).to_be_in_viewport()
    say(range(171, 172))
    expect(maren.message("Eintrag 171.")).to_be_in_viewport()

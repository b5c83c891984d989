"""Topics, announcements and the read state, as people use them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def new_channel(visitor: Visitor, name: str) -> None:
    """Make an open channel and stand in it."""
    visitor.page.goto("/o/nordlicht/channels/new/")
    visitor.page.fill('[name="name"]', name)
    visitor.page.get_by_role("button", name="Create channel").click()
    expect(visitor.page.locator("[data-conversation-name]")).to_have_text(name)


def test_topics_are_written_read_alone_moved_and_resolved(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    new_channel(maren, "themen")
    jonas.page.goto("/o/nordlicht/channels/?q=themen")
    jonas.page.get_by_role("button", name="Join").click()
    expect(jonas.page.locator("[data-conversation-name]")).to_have_text("themen")

    maren.page.fill("[data-topic-field]", "Fähre")
    maren.write("Kommt sie heute?")
    maren.page.fill("[data-topic-field]", "")
    maren.write("Guten Morgen")
    expect(jonas.page.locator("#main .topic__name")).to_have_text(["Fähre", "General"])
    jonas.page.locator("#main .topic__name", has_text="Fähre").click()
    expect(jonas.message("Kommt sie heute?")).to_be_visible()
    expect(jonas.message("Guten Morgen")).to_have_count(0)
    expect(jonas.page.locator("[data-topic-field]")).to_have_value("Fähre")
    jonas.write("Um zehn")
    expect(maren.message("Um zehn")).to_be_visible()

    maren.act(maren.message("Guten Morgen"), "more")
    maren.choose("Move")
    maren.page.fill('#dialog [name="topic"]', "Begrüßung")
    maren.page.locator("#dialog").get_by_role("button", name="Move").click()
    expect(maren.page.locator("#main .topic__name", has_text="Begrüßung")).to_be_visible()
    expect(maren.page.locator(".conv--topic", has_text="Begrüßung")).to_be_visible()

    actions = maren.page.locator("#main .topic", has_text="Fähre").first.get_by_role("link", name="Actions")
    channel = maren.page.url
    actions.click()
    maren.page.fill('#dialog [name="name"]', "Fähre morgen")
    maren.leave(maren.page.locator("#dialog").get_by_role("button", name="Rename"))
    expect(jonas.page.locator("[data-topic-field]")).to_have_value("Fähre morgen")
    maren.page.goto(channel)
    actions.click()
    maren.page.locator("#dialog").get_by_role("button", name="Mark as resolved").click()
    expect(maren.page.locator("#main .bar .tag--ok")).to_have_text("Resolved")


def test_a_channel_is_found_joined_and_only_announcers_post(visit: Visit) -> None:
    maren, tomasz = visit("Maren"), visit("Tomasz")
    new_channel(maren, "aushang")
    maren.page.get_by_role("link", name="About this conversation").click()
    maren.page.locator("#dialog").get_by_label("Who posts").select_option("announcers")
    maren.leave(maren.page.locator("#dialog").get_by_role("button", name="Save"))
    maren.write("Morgen ist Betriebsversammlung")

    tomasz.page.goto("/o/nordlicht/channels/")
    tomasz.page.get_by_role("searchbox", name="Find a channel").fill("aushang")
    entry = tomasz.page.locator("#channels li", has_text="aushang")
    expect(entry).to_contain_text("1 member")
    entry.get_by_role("button", name="Join").click()
    expect(tomasz.page.locator("[data-announcers]")).to_contain_text("Only announcers post")
    expect(tomasz.page.locator("#main [data-composer]")).to_have_count(0)
    tomasz.act(tomasz.message("Betriebsversammlung"), "thread")
    tomasz.write("Wo denn?", where="#panel")

    maren.page.get_by_role("link", name="About this conversation").click()
    maren.page.locator("#dialog").get_by_role("button", name="Archive channel").click()
    expect(maren.page.locator('.conv[data-name="aushang"]')).to_have_count(0)
    tomasz.page.goto("/o/nordlicht/channels/?state=archived")
    expect(tomasz.page.locator("#channels li", has_text="aushang")).to_contain_text("Archived")


def test_a_badge_explains_itself(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    new_channel(maren, "zähler")
    jonas.page.goto("/o/nordlicht/channels/?q=z%C3%A4hler")
    jonas.page.get_by_role("button", name="Join").click()
    expect(jonas.page.locator("[data-conversation-name]")).to_have_text("zähler")
    jonas.open("allgemein")
    maren.page.fill("[data-topic-field]", "Fähre")
    maren.write("Das zählt")
    badge = jonas.page.locator('.conv[data-name="zähler"] .count')
    expect(badge).to_have_text("1 unread")
    badge.click()
    jonas.choose("Why unread?")
    row = jonas.page.locator("#dialog [data-why-list] li")
    expect(row).to_contain_text("Das zählt")
    expect(row).to_contain_text("not read yet")
    row.get_by_role("link").click()
    expect(jonas.message("Das zählt")).to_be_visible()
    expect(badge).to_have_count(0)

    jonas.open("allgemein")
    maren.page.fill("[data-topic-field]", "")
    maren.write("Das zählt **auch**")
    expect(badge).to_have_text("1 unread")
    jonas.page.locator('[data-own="unread"]').click()
    group = jonas.page.locator("[data-unread-list] > li", has=jonas.page.get_by_role("link", name="zähler"))
    expect(group).to_contain_text("Das zählt auch")
    group.get_by_role("button", name="Mark as read").click()
    expect(group).to_have_count(0)
    expect(badge).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "width", "name", "words"),
    [
        ("en-GB", 1440, "leise", ("Mute", "1 mention")),
        ("de-DE", 360, "stiller", ("Stummschalten", "1 Erwähnung")),
    ],
)
def test_a_mention_that_is_edited_into_a_muted_topic_counts_at_once(
    visit: Visit, language: str, width: int, name: str, words: tuple[str, str]
) -> None:
    mute, one_mention = words
    maren, jonas = visit("Maren"), visit("Jonas", language=language, width=width)
    new_channel(maren, name)
    maren.page.fill("[data-topic-field]", "Wind")
    maren.write("Es weht")
    jonas.page.goto(f"/o/nordlicht/channels/?q={name}")
    jonas.page.locator("#channels li", has_text=name).get_by_role("button").click()
    expect(jonas.page.locator("[data-conversation-name]")).to_have_text(name)
    jonas.page.locator("#main .topic a:not(.topic__name)").first.click()
    jonas.leave(jonas.page.locator("#dialog").get_by_role("button", name=mute, exact=True))
    maren.write("Bald dreht er")

    def edit(before: str, after: str) -> None:
        maren.act(maren.message(before), "more")
        maren.choose("Edit")
        maren.page.locator("[data-edit] textarea").fill(after)
        maren.page.keyboard.press("Enter")
        expect(maren.message(after.replace("*", ""))).to_be_visible()

    jonas.page.goto("/o/nordlicht/threads/")
    badge = jonas.page.locator(f'.conv[data-name="{name}"] .count')
    expect(jonas.page.locator(f'.conv[data-name="{name}"]')).to_have_count(1)
    expect(badge).to_have_count(0)
    edit("Bald dreht er", "Bald dreht er @**Jonas Petersen**")
    expect(badge).to_have_text(one_mention)
    edit("Bald dreht er", "Bald dreht er ab")
    expect(badge).to_have_count(0)

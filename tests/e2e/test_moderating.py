"""What moderators and owners decide in the console: reports, own emoji, how long messages are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.e2e.test_topics import new_channel
from tests.e2e.tour import keep
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_a_reported_message_is_read_in_the_queue_and_removed(visit: Visit) -> None:
    tomasz, maren = visit("Tomasz"), visit("Maren")
    for who in (tomasz, maren):
        who.open("allgemein")
    tomasz.write("Kaufen Sie meine Segeljolle")
    maren.act(maren.message("Segeljolle"), "more")
    maren.choose("Report")
    dialog = maren.page.locator("#dialog")
    dialog.get_by_label("What is wrong").select_option(label="Spam or advertising")
    dialog.get_by_label("Note for the moderators").fill("Schon zum zweiten Mal")
    dialog.get_by_role("button", name="Report").click()
    expect(maren.page.get_by_text("The moderators will look at it")).to_be_visible()

    jonas = visit("Jonas")
    jonas.page.goto("/o/nordlicht/console/reports/")
    expect(jonas.page.locator("#found")).not_to_contain_text("Segeljolle")
    jonas.page.locator("#found").get_by_role("link", name="Spam or advertising").click()
    expect(jonas.page.locator("blockquote")).to_have_text("Kaufen Sie meine Segeljolle")
    expect(jonas.page.locator(".facts")).to_contain_text("Schon zum zweiten Mal")
    jonas.page.get_by_role("button", name="Remove the message").click()
    expect(jonas.page.get_by_text("The message is removed")).to_be_visible()
    expect(jonas.page.locator("#found")).to_contain_text("Nothing was reported")
    expect(tomasz.message("Segeljolle")).to_have_count(0)


def test_who_moderates_one_channel_decides_in_the_chat(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    tomasz = visit("Tomasz", language="de-DE", theme="dark", width=360, height=740, is_phone=True)
    new_channel(maren, "hafenwache")
    channel = maren.page.locator("#main [data-stream]").get_attribute("data-conversation")
    for who in (jonas, tomasz):
        who.page.goto("/o/nordlicht/channels/?q=hafenwache")
        who.page.locator("#channels button").click()
        expect(who.page.locator("[data-conversation-name]")).to_have_text("hafenwache")
    maren.page.goto(f"/o/nordlicht/c/{channel}/roles/")
    maren.page.locator("[name=whose]").select_option(label="Tomasz Wójcik")
    maren.page.locator("[name=role]").select_option("moderator")
    maren.page.get_by_role("button", name="Give the role").click()
    expect(maren.page.get_by_text("The role is given")).to_be_visible()

    jonas.write("Kaufen Sie meine Segeljolle")
    maren.act(maren.message("Segeljolle"), "more")
    maren.choose("Report")
    maren.page.locator("#dialog select").select_option("spam")
    maren.page.locator("#dialog").get_by_role("button", name="Report").click()
    expect(maren.page.get_by_text("The moderators will look at it")).to_be_visible()

    page = tomasz.page
    expect(page.locator('#own-links a[href$="/reports/"] .count')).to_contain_text("1")
    page.goto("/o/nordlicht/notifications/")
    page.locator(".note", has_text="Eine Nachricht wurde gemeldet").locator(".note__link").click()
    expect(page.locator("blockquote")).to_have_text("Kaufen Sie meine Segeljolle")
    assert tomasz.look() == tomasz.audit() == []
    keep(page, "report")
    page.goto("/o/nordlicht/reports/")
    assert tomasz.look() == tomasz.audit() == []
    keep(page, "reports")
    page.locator("#found td a").click()
    page.locator("[value=removed]").click()
    expect(page.get_by_text("Die Nachricht ist entfernt")).to_be_visible()
    expect(jonas.message("Segeljolle")).to_have_count(0)
    maren.page.goto("/o/nordlicht/notifications/")
    newest = maren.page.locator(".note", has_text="What you reported was looked at").first
    expect(newest).to_contain_text("The message was taken away.")


def test_an_own_emoji_is_added_and_chosen_as_a_reaction(visit: Visit, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "boje.png")
    maren = visit("Maren")
    page = maren.page
    page.goto("/o/nordlicht/console/emoji/")
    page.get_by_label("Name").fill("boje")
    page.get_by_label("Picture").set_input_files(tmp_path / "boje.png")
    page.get_by_role("button", name="Add emoji").click()
    expect(page.locator("[data-emoji-list]")).to_contain_text(":boje:")
    page.goto("/o/nordlicht/")
    maren.open("allgemein")
    maren.write("Die Boje liegt aus")
    own = maren.message("Die Boje liegt aus").last
    maren.act(own, "react")
    page.get_by_role("searchbox", name="Find an emoji").fill("boje")
    page.get_by_role("button", name="boje", exact=True).click()
    reaction = own.get_by_role("button", name=":boje:, 1")
    expect(reaction).to_have_attribute("aria-pressed", "true")
    picture = reaction.locator("img")
    expect(picture).to_have_js_property("complete", True)
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_a_rule_shows_what_it_deletes_before_it_is_set(visit: Visit) -> None:
    page = visit("Maren").page
    page.goto("/o/nordlicht/console/retention/")
    dialog, rules = page.locator("#dialog"), page.locator("#main table.data")
    page.get_by_role("link", name="Set a rule").click()
    dialog.get_by_label("Where").select_option(label="allgemein")
    dialog.get_by_role("spinbutton", name=re.compile("^Days(?! for)")).fill("1")
    dialog.get_by_role("button", name="Show what it deletes").click()
    expect(dialog.get_by_role("status")).to_contain_text(
        re.compile(r"This rule deletes [1-9]\d* messages now")
    )
    dialog.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("Messages are kept for ever")).to_be_visible()

    page.get_by_role("link", name="Set a rule").click()
    dialog.get_by_label("Where").select_option(label="allgemein")
    dialog.get_by_role("spinbutton", name=re.compile("^Days(?! for)")).fill("3650")
    dialog.get_by_role("button", name="Show what it deletes").click()
    expect(dialog.get_by_role("status")).to_contain_text("This rule deletes nothing now")
    dialog.get_by_role("button", name="Set the rule").click()
    expect(rules.locator("tr", has_text="allgemein")).to_contain_text("3650 days")
    page.get_by_role("button", name="Remove the rule: allgemein").click()
    expect(page.get_by_text("Messages are kept for ever")).to_be_visible()

"""What moderators and owners decide in the console: reports, own emoji, how long messages are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

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

"""What one does with messages: threads, versions, deleting and bringing back, keeping, planning, asking."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.test_topics import new_channel
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
SHOTS = os.environ.get("CHATSYSTEM_SCREENSHOTS")


def _keep(page: Page, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def _menu(visitor: Visitor, text: str, item: str) -> None:
    visitor.act(visitor.message(text).last, "more")
    visitor.choose(item)


def test_threads_are_followed_versions_compared_and_deleted_messages_brought_back(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    for who in (maren, jonas):
        who.open("allgemein")
    maren.write("Wer prüft den alten Poller?")
    jonas.act(jonas.message("Wer prüft den alten Poller?"), "thread")
    jonas.write("Ich, heute noch.", where="#panel")
    expect(maren.message("Wer prüft den alten Poller?").locator(".thread-link")).to_be_visible()
    threads = maren.page.locator("#own-links a", has_text="Threads")
    expect(threads.locator(".count")).to_be_visible()
    news = threads.locator(".count").inner_text()  # other flows may have left threads with news
    threads.click()
    entry = maren.page.locator("[data-threads] > li", has_text="Poller").first
    expect(entry).to_contain_text("Ich, heute noch.")
    _keep(maren.page, "threads")
    entry.get_by_role("link", name="1 reply").click()
    expect(maren.message("Ich, heute noch.", where="#panel")).to_be_visible()
    expect(threads.locator(".count", has_text=news)).to_have_count(0)
    control = maren.page.locator("[data-thread-level]")
    expect(control).to_have_text("Following")
    control.click()
    expect(maren.page.locator("#dialog").get_by_label("Every reply")).to_be_checked()
    maren.page.locator("#dialog").get_by_label("Nothing").check()
    maren.leave(maren.page.locator("#dialog").get_by_role("button", name="Save"))
    expect(control).to_have_text("Muted")
    _keep(maren.page, "thread")

    maren.open("allgemein")
    _menu(maren, "Wer prüft den alten Poller?", "Edit")
    maren.page.locator("[data-edit] textarea").fill("Wer prüft den neuen Poller?")
    maren.page.keyboard.press("Enter")
    jonas.message("Wer prüft den neuen Poller?").locator(".message__edited").click()
    expect(jonas.page.locator("#dialog del")).to_have_text("alten")
    expect(jonas.page.locator("#dialog ins")).to_have_text("neuen")
    _keep(jonas.page, "history")
    jonas.page.keyboard.press("Escape")

    _menu(maren, "Wer prüft den neuen Poller?", "Delete")
    maren.page.locator("#dialog").get_by_role("button", name="Delete message").click()
    expect(jonas.message("Wer prüft den neuen Poller?")).to_have_count(0)
    maren.page.get_by_role("button", name="Undo").click()
    expect(jonas.message("Wer prüft den neuen Poller?")).to_be_visible()


def test_messages_are_pinned_saved_quoted_forwarded_and_acknowledged(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    for who in (maren, jonas):
        who.open("allgemein")
    maren.page.locator("#main [data-priority]").select_option("urgent")
    maren.write("Der Steg ist **gesperrt**.")
    urgent = jonas.message("Der Steg ist gesperrt.")
    expect(urgent.locator(".tag--bad")).to_have_text("Urgent")
    urgent.get_by_role("button", name="I have seen it").click()
    expect(maren.message("Der Steg ist gesperrt.")).to_contain_text("1 has seen it")
    expect(urgent.get_by_role("button", name="Take back")).to_be_visible()
    _menu(jonas, "Der Steg ist gesperrt.", "Pin for everyone")
    expect(maren.message("Der Steg ist gesperrt.")).to_contain_text("Pinned")
    _keep(jonas.page, "urgent")
    maren.page.get_by_role("link", name="Pins and bookmarks").click()
    expect(maren.page.locator("#dialog [data-pins]")).to_contain_text("Der Steg ist gesperrt.")
    maren.page.locator("#dialog [name=url]").fill("https://hafen.example/plan")
    maren.page.locator("#dialog [name=title]").fill("Liegeplan")
    _keep(maren.page, "at-hand")
    maren.page.locator("#dialog").get_by_role("button", name="Add link").click()
    expect(maren.page.get_by_text("Bookmark added")).to_be_visible()

    _menu(jonas, "Der Steg ist gesperrt.", "Save for me")
    expect(jonas.page.get_by_text("Message saved")).to_be_visible()
    jonas.page.locator("#own-links a", has_text="Saved messages").click()
    expect(jonas.page.locator("[data-saved]")).to_contain_text("Der Steg ist gesperrt.")
    _keep(jonas.page, "saved")
    jonas.open("allgemein")
    jonas.page.locator("#main [data-text]").fill("")
    _menu(jonas, "Der Steg ist gesperrt.", "Take out of saved")
    expect(jonas.page.get_by_text("Message is not saved any more")).to_be_visible()
    _menu(jonas, "Der Steg ist gesperrt.", "Quote")
    expect(jonas.page.locator("#main [data-text]")).to_have_value(
        "> [Maren Thiessen wrote](" + jonas.page.url.partition("/o/")[0] + jonas.page.evaluate(
            "[...document.querySelectorAll('#main .message')].findLast((m) => m.textContent.includes('Der Steg ist'))"
            ".querySelector('.message__time').getAttribute('href')"
        ) + ")\n>\n> Der Steg ist **gesperrt**.\n\n"
    )  # fmt: skip
    jonas.page.locator("#main [data-text]").fill("")
    _menu(jonas, "Der Steg ist gesperrt.", "Forward")
    jonas.page.locator("#dialog select").select_option(label="it-platform")
    jonas.page.locator("#dialog [name=comment]").fill("Bitte beachten")
    _keep(jonas.page, "forward")
    jonas.page.locator("#dialog").get_by_role("button", name="Forward").click()
    copy = jonas.message("Bitte beachten").last
    expect(copy.locator(".forwarded strong")).to_have_text("gesperrt")
    expect(copy.get_by_role("link", name="Show original")).to_be_visible()
    _keep(jonas.page, "forwarded")


def test_messages_are_sent_later_reminders_set_and_drafts_found(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    maren.page.locator("#main [data-text]").fill("Der Kran ist wieder frei")
    maren.page.locator("#main").get_by_role("button", name="Send later").click()
    expect(maren.page.locator("#dialog [name=body]")).to_have_value("Der Kran ist wieder frei")
    _keep(maren.page, "later")
    maren.page.locator("#dialog").get_by_role("button", name="Schedule").click()
    planned = maren.page.locator("[data-scheduled] > li", has_text="Der Kran ist wieder frei")
    expect(planned).to_be_visible()
    _keep(maren.page, "scheduled")
    planned.get_by_role("button", name="Send now").click()
    expect(planned.locator(".tag--ok")).to_have_text("Sent")
    maren.open("allgemein")
    expect(maren.message("Der Kran ist wieder frei")).to_be_visible()
    expect(maren.page.locator("#main [data-text]")).to_have_value("")

    _menu(maren, "Der Kran ist wieder frei", "Remind me")
    maren.page.locator("#dialog").get_by_role("button", name="in an hour").click()
    maren.page.locator("#dialog [name=note]").fill("Antwort lesen")
    _keep(maren.page, "remind")
    maren.page.locator("#dialog").get_by_role("button", name="Remind me").click()
    expect(maren.page.get_by_text("You will be reminded")).to_be_visible()
    maren.page.locator("#own-links a", has_text="Reminders").click()
    expect(maren.page.locator("[data-reminders]")).to_contain_text("Antwort lesen")
    _keep(maren.page, "reminders")

    maren.open("allgemein")
    with maren.page.expect_response(lambda response: response.url.endswith("/draft/")):
        maren.page.locator("#main [data-text]").fill("Halb fertig")
    other = visit("Maren")
    draft = other.page.locator("[data-drafts] > li", has_text="Halb fertig")
    other.page.locator("#own-links a", has_text="Drafts").click()
    expect(draft).to_have_count(1)
    _keep(other.page, "drafts")
    draft.get_by_role("link", name="Delete").click()
    expect(other.page.locator("#dialog")).to_contain_text("Halb fertig")
    other.page.locator("#dialog").get_by_role("button", name="Cancel").click()
    expect(draft).to_have_count(1)
    draft.get_by_role("link", name="Delete").click()
    _keep(other.page, "draft-delete")
    other.page.locator("#dialog").get_by_role("button", name="Delete").click()
    expect(draft).to_have_count(0)


def test_what_is_sent_later_keeps_topic_files_and_priority_and_a_refusal_loses_nothing(
    visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "dienstplan.txt").write_text("Frühschicht\n")
    maren = visit("Maren")
    maren.expected.append("422")
    maren.open("allgemein")
    main, dialog = maren.page.locator("#main"), maren.page.locator("#dialog")
    main.locator("[data-pick]").set_input_files(tmp_path / "dienstplan.txt")
    expect(main.locator("[data-files] .file__note")).to_contain_text("ready")
    main.locator("[data-topic-field]").fill("Dienstplan")
    main.locator("[data-priority]").select_option("important")
    main.get_by_role("button", name="Send later").click()  # files alone are enough
    expect(dialog.locator(".tag", has_text="dienstplan.txt")).to_be_visible()
    expect(dialog.get_by_label("Topic")).to_have_value("Dienstplan")
    dialog.locator("[name=send_at]").fill("2020-01-01T09:00")
    dialog.locator("[name=body]").fill("Für Montag")
    dialog.get_by_role("button", name="Schedule").click()
    expect(dialog.locator(".field__error")).to_be_visible()
    expect(dialog.locator(".tag", has_text="dienstplan.txt")).to_be_visible()
    expect(dialog.locator("[name=body]")).to_have_value("Für Montag")
    expect(main.locator("[data-files] .file__name")).to_have_text("dienstplan.txt")
    dialog.get_by_role("button", name="on Monday at nine").click()
    _keep(maren.page, "later-files")
    dialog.get_by_role("button", name="Schedule").click()
    planned = maren.page.locator("[data-scheduled] > li", has_text="Für Montag")
    expect(planned).to_contain_text("dienstplan.txt")
    expect(planned).to_contain_text("Dienstplan")
    maren.open("allgemein")
    expect(main.locator("[data-text]")).to_have_value("")
    expect(main.locator("[data-files] .file")).to_have_count(0)

    maren.page.locator("#own-links a", has_text="Scheduled").click()
    planned.get_by_role("link", name="Delete").click()
    expect(dialog).to_contain_text("Für Montag")
    dialog.get_by_role("button", name="Cancel").click()
    planned.get_by_role("button", name="Send now").click()
    expect(planned.locator(".tag--ok")).to_have_text("Sent")
    planned.get_by_role("link", name="allgemein").click()
    sent = maren.message("Für Montag").last
    expect(sent.locator(".file__name")).to_have_text("dienstplan.txt")
    expect(sent.locator(".tag", has_text="Important")).to_be_visible()
    expect(main.locator(".topic__name", has_text="Dienstplan")).to_be_visible()


def test_polls_commands_and_copies_go_into_the_topic_of_the_composer(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    main, dialog = maren.page.locator("#main"), maren.page.locator("#dialog")
    main.locator("[data-topic-field]").fill("Sommerfest")
    main.get_by_role("link", name="New poll").click()
    expect(dialog.get_by_label("Topic")).to_have_value("Sommerfest")
    dialog.locator("[name=question]").fill("Wer grillt?")
    dialog.locator("[name=options]").fill("Ich\nDu")
    maren.leave(dialog.get_by_role("button", name="Ask"))
    expect(maren.message("Wer grillt?")).to_be_visible()
    maren.open("allgemein")
    main.locator("[data-topic-field]").fill("Sommerfest")
    maren.page.locator("#main [data-text]").fill("/me grillt")
    maren.page.locator("#main [data-text]").press("Enter")
    expect(maren.message("grillt").last).to_be_visible()
    _menu(maren, "Wer grillt?", "Forward")
    dialog.locator("select").select_option(label="allgemein")
    dialog.get_by_label("Topic").fill("Sommerfest")
    dialog.locator("[name=comment]").fill("Bitte abstimmen")
    maren.leave(dialog.get_by_role("button", name="Forward"))
    expect(maren.message("Bitte abstimmen")).to_be_visible()
    maren.page.locator(".conv--topic", has_text="Sommerfest").click()
    expect(main.locator("[data-place]")).to_be_visible()
    for said in ("Wer grillt?", "grillt", "Bitte abstimmen"):
        expect(maren.message(said).last).to_be_visible()


def test_what_calls_everyone_asks_first_and_keeps_what_was_set(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "sammelplatz.txt").write_text("Am Kai\n")
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.expected += ["409", "422"]
    new_channel(maren, "alarme")
    maren.page.goto(f"{maren.page.url}members/")
    for box in maren.page.locator("#main [name=people]").all():
        box.check()
    maren.leave(maren.page.get_by_role("button", name="Add people"))
    for who in (maren, jonas):
        who.open("alarme")
    dialog, field = maren.page.locator("#dialog"), maren.page.locator("#main [data-text]")
    meant = dialog.get_by_role("button", name="Send to all of them")
    maren.write("Probealarm um zehn")
    _menu(maren, "Probealarm um zehn", "Edit")
    maren.page.locator("[data-edit] textarea").fill("@all Probealarm um elf")
    maren.page.keyboard.press("Enter")
    expect(dialog).to_contain_text("people at once")
    _keep(maren.page, "call-many")
    dialog.get_by_role("button", name="Cancel").click()
    expect(maren.page.locator("[data-edit] textarea")).to_have_value("@all Probealarm um elf")
    maren.page.locator("[data-edit] textarea").press("Enter")
    meant.click()
    expect(jonas.message("Probealarm um elf")).to_be_visible()

    field.fill("/me ruft @all")
    field.press("Enter")
    dialog.get_by_role("button", name="Cancel").click()
    expect(field).to_have_value("/me ruft @all")
    field.press("Enter")
    meant.click()
    expect(jonas.message("ruft").last).to_be_visible()
    expect(field).to_have_value("")

    main = maren.page.locator("#main")
    main.locator("[data-pick]").set_input_files(tmp_path / "sammelplatz.txt")
    expect(main.locator("[data-files] .file__note")).to_contain_text("ready")
    main.locator("[data-topic-field]").fill("Räumung")
    main.locator("[data-priority]").select_option("urgent")
    field.fill("@all zum Sammelplatz")
    field.press("Enter")
    main.locator("[data-topic-field]").fill("")
    main.get_by_role("button", name="Take back to the draft").click()
    expect(field).to_have_value("@all zum Sammelplatz")
    expect(main.locator("[data-topic-field]")).to_have_value("Räumung")
    expect(main.locator("[data-priority]")).to_have_value("urgent")
    expect(main.locator("[data-files] .file__name")).to_have_text("sammelplatz.txt")
    field.press("Enter")
    main.get_by_role("button", name="Send to all of them").click()
    arrived = jonas.message("zum Sammelplatz")
    expect(arrived.locator(".file__name")).to_have_text("sammelplatz.txt")
    expect(jonas.page.locator("#main .topic__name", has_text="Räumung")).to_be_visible()

    _menu(maren, "Probealarm um elf", "Forward")
    dialog.locator("select").select_option(label="alarme")
    dialog.locator("[name=comment]").fill("@all bitte lesen")
    dialog.get_by_role("button", name="Forward").click()
    meant.click()
    expect(jonas.message("bitte lesen").last).to_be_visible()


def test_people_vote_and_run_commands(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    for who in (maren, jonas):
        who.open("allgemein")
    field = maren.page.locator("#main [data-text]")
    field.press_sequentially("/po")
    expect(maren.page.get_by_role("option", name="/poll")).to_be_visible()
    _keep(maren.page, "commands")
    field.press("Enter")
    field.press_sequentially('"Grillen oder Fisch?" Grillen Fisch')
    field.press("Enter")
    poll = jonas.message("Grillen oder Fisch?").last
    poll.get_by_role("button", name="Fisch").click()
    mine = poll.get_by_role("button", name="Fisch")
    expect(mine).to_have_attribute("aria-pressed", "true")
    seen = maren.message("Grillen oder Fisch?").last
    expect(seen.get_by_role("button", name="Fisch").locator(".num")).to_have_text("1")
    _keep(maren.page, "poll")
    seen.get_by_role("button", name="Close poll").click()
    expect(mine).to_be_disabled()
    expect(field).to_have_value("")

    maren.expected.append("400")
    field.fill("/fliegen")
    field.press("Enter")
    expect(maren.page.get_by_text("There is no command /fliegen")).to_be_visible()
    expect(field).to_have_value("/fliegen")

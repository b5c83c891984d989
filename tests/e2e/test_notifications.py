"""Being told: a mention rings the bell on every device, is opened there and read everywhere; and what one wants."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.tour import keep
from tests.e2e.visitor import Visitor
from tests.notify.test_web_push import BROWSER_POINT, SECRET

Visit = Callable[..., Visitor]
HAS_SUBSCRIPTION = """
  const subscription = { endpoint: "ENDPOINT" };
  const registration = { pushManager: { getSubscription: async () => subscription } };
  navigator.serviceWorker.getRegistration = async () => registration;
  Object.defineProperty(Notification, "permission", { get: () => "granted" });
  window.PushManager ??= class {};
"""
# The worker as it is, in a page that plays the browser around it.
ADDRESS_CHANGES = """async ({ endpoint, point, secret }) => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0)).buffer;
  };
  const keys = { p256dh: bytes(point), auth: bytes(secret) };
  const made = { endpoint, getKey: (name) => keys[name] };
  const heard = {}, waiting = [];
  const self = {
    addEventListener: (name, run) => { heard[name] = run; },
    registration: { pushManager: { subscribe: async () => made } },
  };
  WORKER
  const oldSubscription = { options: { applicationServerKey: new ArrayBuffer(65) } };
  const waitUntil = (done) => waiting.push(done);
  heard.pushsubscriptionchange({ oldSubscription, newSubscription: null, waitUntil });
  await Promise.all(waiting);
}"""


def test_a_mention_rings_the_bell_and_is_read_on_both_devices(visit: Visit) -> None:
    maren, phone, jonas = visit("Maren"), visit("Maren", width=360, height=740), visit("Jonas")
    for device in (maren, phone):
        device.page.goto("/o/nordlicht/notifications/")
        everything = device.page.get_by_role("button", name="Mark all read")
        if everything.count():
            everything.click()
    jonas.open("allgemein")
    jonas.write("@**Maren Thiessen** die Schleuse ist **offen**")
    line = maren.page.locator(".note", has_text="die Schleuse ist offen")
    expect(line).to_be_visible()
    expect(maren.page.locator(".rail [data-bell] .count")).to_have_text(re.compile("^1"))
    expect(phone.page.locator(".tabbar [data-bell] .count")).to_have_text(re.compile("^1"))
    assert maren.look() == []
    assert phone.look() == []
    line.get_by_role("link", name="Why?").click()
    expect(maren.page.locator("#dialog")).to_contain_text("Somebody mentioned you")
    expect(maren.page.locator("#dialog")).to_contain_text("Push message")
    maren.page.keyboard.press("Escape")
    line.locator(".note__link").click()
    expect(
        maren.page.locator(".message--target, .message", has_text="die Schleuse ist offen").last
    ).to_be_visible()
    expect(phone.page.locator(".tabbar [data-bell] .count")).to_have_count(0)
    expect(phone.page.locator(".note--unread")).to_have_count(0)


def test_wishes_words_and_a_conversations_own_level_are_kept(visit: Visit) -> None:
    tomasz, jonas = visit("Tomasz"), visit("Jonas")
    page = tomasz.page
    page.goto("/o/nordlicht/settings/notifications/")
    page.locator("#word").fill("Nebelhorn")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".chip", has_text="nebelhorn")).to_be_visible()
    page.locator("#id_mail").select_option("daily")
    page.locator("#wishes").get_by_role("button", name="Save").click()
    expect(page.locator("#id_mail")).to_have_value("daily")
    page.get_by_role("button", name="30 minutes").click()
    expect(page.locator("#pause")).to_contain_text("No push messages until")
    page.get_by_role("button", name="End it now").click()
    expect(page.get_by_role("button", name="30 minutes")).to_be_visible()
    assert tomasz.look() == []
    page.goto("/o/nordlicht/")
    tomasz.open("allgemein")
    page.get_by_title("About this conversation").click()
    page.locator("#dialog").get_by_role("link", name="Notifications").click()
    page.locator("#dialog").get_by_label("Everything").check()
    page.locator("#dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    page.get_by_title("About this conversation").click()
    page.locator("#dialog").get_by_role("button", name="Mute").click()
    page.goto("/o/nordlicht/settings/notifications/")
    expect(page.locator("#levels li", has_text="allgemein")).to_contain_text("Muted")
    page.locator("#levels li", has_text="allgemein").get_by_role("link", name="Change").click()
    page.locator("#dialog").get_by_role("button", name="Count again").click()
    page.goto("/o/nordlicht/settings/notifications/")
    expect(page.locator("#levels li", has_text="allgemein")).to_contain_text("Everything")
    jonas.open("allgemein")
    jonas.write("Das Nebelhorn tutet")
    page.goto("/o/nordlicht/notifications/")
    expect(page.locator(".note", has_text="Das Nebelhorn tutet")).to_contain_text("One of your keywords")


def test_every_span_of_quiet_hours_stays_and_another_is_added(visit: Visit) -> None:
    jonas = visit("Jonas", theme="dark", width=360, height=740)
    page, quiet = jonas.page, jonas.page.locator("#quiet")
    page.goto("/o/nordlicht/settings/notifications/")
    quiet.get_by_label("Saturday").check()
    quiet.get_by_role("button", name="Save quiet hours").click()
    expect(page.get_by_text("Quiet hours saved")).to_be_visible()
    quiet.get_by_text("Add another span").click()
    added = quiet.locator("details")
    added.get_by_label("Monday").check()
    added.get_by_label("From").fill("12:00")
    added.get_by_label("Until").fill("13:00")
    assert jonas.look() == jonas.audit() == []
    quiet.scroll_into_view_if_needed()
    keep(page, "quiet-spans")
    quiet.get_by_role("button", name="Save quiet hours").click()
    expect(quiet.locator("fieldset", has_text="Span 2")).to_be_attached()
    expect(quiet.locator("#id_quiet-0-since")).to_have_value("12:00")
    expect(quiet.locator("#id_quiet-1-since")).to_have_value("20:00")


def test_a_browser_whose_address_changed_is_found_again(visit: Visit) -> None:
    maren = visit("Maren")
    page, endpoint = maren.page, "https://push.example.org/renewed"
    page.add_init_script(HAS_SUBSCRIPTION.replace("ENDPOINT", endpoint))
    page.goto("/o/nordlicht/settings/notifications/")
    expect(page.get_by_role("button", name="Turn on in this browser")).to_be_visible()
    worker = Path("static/root/push-worker.js").read_text(encoding="utf-8")
    page.evaluate(
        ADDRESS_CHANGES.replace("WORKER", worker),
        {"endpoint": endpoint, "point": BROWSER_POINT, "secret": SECRET},
    )
    page.reload()
    expect(page.get_by_text("Push messages are on in this browser.")).to_be_visible()
    expect(page.locator("#browsers").get_by_text("This browser", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Turn on in this browser")).to_be_hidden()
    assert maren.look() == maren.audit() == []
    page.locator("#browsers").scroll_into_view_if_needed()
    keep(page, "push-on")
    page.locator("#browsers").get_by_role("button", name="End").click()
    expect(page.get_by_role("button", name="Turn on in this browser")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "width", "words"),
    [
        ("en-GB", 1440, ("Only mentions", "Save", "Held back", "Why?", "of this thread you hear only mentions")),
        ("de-DE", 360, ("Nur Erwähnungen", "Speichern", "Zurückgehalten", "Warum?",
                        "von diesem Thread erfahren Sie nur Erwähnungen")),
    ],
)  # fmt: skip
def test_a_thread_that_only_mentions_may_ring_for(
    visit: Visit, language: str, width: int, words: tuple[str, ...]
) -> None:
    only_mentions, save, held, why, reason = words
    tomasz, other = (visit("Tomasz", language=language, width=size) for size in (width, 1440))
    jonas = visit("Jonas")
    jonas.open("allgemein")
    jonas.write(f"Wer streicht das Boot? {width}")
    jonas.act(jonas.message(f"Wer streicht das Boot? {width}"), "thread")
    expect(jonas.page.locator("[data-thread-panel]")).to_be_visible()
    for device in (tomasz, other):
        device.page.goto(jonas.page.url)
        expect(device.page.locator("[data-thread-level]")).to_be_visible()
    tomasz.page.locator("[data-thread-level]").click()
    dialog = tomasz.page.locator("#dialog")
    dialog.get_by_label(only_mentions).check()
    assert tomasz.look() == []
    tomasz.leave(dialog.get_by_role("button", name=save))
    for device in (tomasz, other):
        expect(device.page.locator("[data-thread-level]")).to_have_text(only_mentions)
    assert tomasz.look() == []
    for device in (tomasz, other):  # nobody reads the thread: what is read tells nobody
        device.page.goto("/o/nordlicht/notifications/")
    jonas.write(f"Ich nicht. {width}", where="#panel")
    jonas.write(f"@**Tomasz Wójcik** Sie vielleicht? {width}", where="#panel")
    expect(other.page.locator(".note", has_text=f"Sie vielleicht? {width}")).to_be_visible()
    expect(other.page.locator(".note", has_text=f"Ich nicht. {width}")).to_have_count(0)
    tomasz.page.get_by_role("link", name=held).click()
    tomasz.page.locator(".note", has_text=f"Ich nicht. {width}").get_by_role("link", name=why).click()
    expect(dialog).to_contain_text(reason)
    assert tomasz.look() == []


@pytest.mark.parametrize(
    ("language", "width", "words"),
    [("en-GB", 360, ("Push message, Mention", "there is no address to send it to")),
     ("de-DE", 360, ("Push-Nachricht, Erwähnung", "es gibt keine Adresse, an die es gehen kann")),
     ("de-DE", 1440, ("Push-Nachricht", "es gibt keine Adresse, an die es gehen kann"))],
)  # fmt: skip
def test_the_delivery_log_fits_its_window_and_says_why(
    visit: Visit, language: str, width: int, words: tuple[str, str]
) -> None:
    jonas, aylin = visit("Jonas"), visit("Aylin", language=language, width=width)
    lines = aylin.page.locator("#found tbody tr", has_text="Tomasz Wójcik")

    def logged() -> int:
        aylin.page.goto("/o/nordlicht/console/notifications/?channel=push")
        return lines.count()

    before = logged()
    jonas.open("allgemein")
    jonas.write(f"@**Tomasz Wójcik** die Liste, bitte {language} {width}")
    for _ in range(100):  # the log follows a moment after the message
        if logged() > before:
            break
    for said in words:
        expect(lines.first).to_contain_text(said, use_inner_text=True)
    assert aylin.look() == []
    beyond = "table => table.scrollWidth - table.clientWidth"
    assert aylin.page.locator("#found .table-wrap").evaluate(beyond) <= 0


def test_a_status_is_seen_beside_the_name(visit: Visit) -> None:
    maren, jonas = visit("Maren"), visit("Jonas")
    jonas.open("allgemein")
    jonas.page.get_by_title("Your status").click()
    dialog = jonas.page.locator("#dialog")
    dialog.locator("#id_emoji").fill("🚢")
    dialog.locator("#id_text").fill("auf See")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(jonas.page.locator(".toast")).to_contain_text("Status saved")
    jonas.page.keyboard.press("Escape")
    jonas.write("Ahoi vom Wasser")
    maren.open("allgemein")
    expect(maren.message("Ahoi vom Wasser").last).to_be_visible()
    maren.page.locator(
        "#main .message[data-sender]", has=maren.page.locator(".message__name", has_text="Jonas")
    ).last.locator(".message__name > span").first.hover()
    expect(maren.page.locator("#person")).to_contain_text("auf See")
    maren.page.locator("#main .bar").get_by_title(re.compile("members")).click()
    person = maren.page.locator("#dialog li", has_text="Jonas Petersen")
    expect(person.locator("[data-status-of]")).to_contain_text("🚢")
    expect(person.locator("[data-status-of]")).to_have_attribute("title", re.compile("auf See, until"))

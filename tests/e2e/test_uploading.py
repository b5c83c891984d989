"""Files: picked or dropped, with a bar each, refused with a reason, and opened by who may see the message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Route, expect

from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]


def test_files_are_uploaded_with_a_bar_and_arrive_with_the_message(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "schicht.txt").write_text("Frühschicht\n" * 100)
    Image.new("RGB", (640, 400), (30, 110, 140)).save(tmp_path / "turm.png")
    (tmp_path / "gross.csv").write_bytes(b"a;b\n1;2\n" * 1_200_000)
    maren, jonas = visit("Maren"), visit("Jonas")
    maren.open("allgemein")
    jonas.open("allgemein")
    names = ["schicht.txt", "turm.png", "gross.csv"]
    maren.page.locator("#main [data-pick]").set_input_files([tmp_path / name for name in names])
    shelf = maren.page.locator("#main [data-files]")
    expect(shelf.locator(".file__name")).to_have_text(names)
    expect(shelf.locator(".file__note", has_text="ready")).to_have_count(3)
    maren.write("Drei Dateien")
    message = jonas.message("Drei Dateien")
    expect(message.locator(".file__name")).to_have_text(["schicht.txt", "gross.csv"])
    expect(message.locator(".picture img")).to_have_js_property("complete", value=True)
    assert message.locator(".picture img").evaluate("image => image.naturalWidth") > 100
    with jonas.page.expect_download() as download:
        message.locator(".file__name", has_text="schicht.txt").click()
    assert download.value.path().read_text() == "Frühschicht\n" * 100
    jonas.act(message, "more")
    jonas.choose("Bookmark schicht.txt for everyone")
    expect(jonas.page.locator("#toasts")).to_contain_text("Bookmark added")
    maren.page.get_by_role("link", name="Pins and bookmarks").click()
    expect(maren.page.locator("#dialog [data-bookmarks]")).to_contain_text("schicht.txt")


def test_sending_waits_for_the_upload_and_says_so(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "langsam.txt").write_text("x" * 1000)
    maren = visit("Maren")
    maren.open("allgemein")
    picked = maren.page.locator("#main [data-pick]")
    held = maren.hold("**/api/v1/files/*/content", lambda: picked.set_input_files(tmp_path / "langsam.txt"))
    expect(maren.page.locator("#main [data-why]")).to_have_text("Sending waits for 1 file")
    button = maren.page.locator("#main .composer button[type=submit]")
    expect(button).to_have_attribute("aria-disabled", "true")
    maren.page.locator("#main [data-text]").fill("Noch nicht")
    maren.page.locator("#main [data-text]").press("Enter")
    expect(maren.page.locator("#main [data-text]")).to_have_value("Noch nicht")
    held.continue_()
    expect(button).not_to_have_attribute("aria-disabled", "true")
    maren.page.locator("#main [data-text]").press("Enter")
    expect(maren.message("Noch nicht").locator(".file__name")).to_have_text("langsam.txt")


def test_files_stay_with_their_draft_while_another_conversation_is_open(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "unterwegs.txt").write_text("y" * 1000)
    maren = visit("Maren")
    maren.open("allgemein")
    picked = maren.page.locator("#main [data-pick]")
    held = maren.hold("**/api/v1/files/*/content", lambda: picked.set_input_files(tmp_path / "unterwegs.txt"))
    expect(maren.page.locator("#main [data-why]")).to_have_text("Sending waits for 1 file")
    maren.open("betrieb-offshore")
    expect(maren.page.locator("#main [data-files] .file")).to_have_count(0)
    expect(maren.page.locator("#main [data-why]")).to_have_text("")
    held.continue_()
    maren.open("allgemein")
    shelf = maren.page.locator("#main [data-files]")
    expect(shelf.locator(".file__name")).to_have_text("unterwegs.txt")
    expect(shelf.locator(".file__note")).to_contain_text("ready")
    maren.write("Von vorhin")
    expect(maren.message("Von vorhin").locator(".file__name")).to_have_text("unterwegs.txt")
    expect(shelf).to_be_hidden()


def test_more_files_than_the_server_takes_at_once_wait_their_turn(visit: Visit, tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(7)]
    for name in names:
        (tmp_path / name).write_text(name * 200)
    maren = visit("Maren")
    maren.open("allgemein")
    held: list[Route] = []
    holding = True

    def hold(route: Route) -> None:
        if holding:
            held.append(route)
        else:
            route.continue_()

    maren.page.route("**/api/v1/files/*/content", hold)
    maren.page.locator("#main [data-pick]").set_input_files([tmp_path / name for name in names])
    notes = maren.page.locator("#main [data-files] .file__note")
    expect(notes.filter(has_text="waiting")).to_have_count(3)
    expect(maren.page.locator("#main [data-why]")).to_have_text("Sending waits for 7 files")
    maren.page.locator("#main [data-files] .file", has_text="6.txt").locator("[data-cancel]").click()
    expect(notes.filter(has_text="waiting")).to_have_count(2)
    assert len(held) <= 4
    holding = False
    for route in held:
        route.continue_()
    expect(notes.filter(has_text="ready")).to_have_count(6)
    maren.write("Sechs Dateien")
    expect(maren.message("Sechs Dateien").locator(".file__name")).to_have_text(names[:6])


def test_a_broken_upload_goes_on_where_it_stopped(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "teile.csv").write_bytes(b"a;b\n1;2\n" * 700_000)
    maren = visit("Maren")
    maren.expected.append("ERR_")
    maren.open("allgemein")
    ranges: list[str] = []

    def break_the_second(route: Route) -> None:
        ranges.append(route.request.headers["content-range"])
        if len(ranges) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    maren.page.route("**/api/v1/files/*/content", break_the_second)
    maren.page.locator("#main [data-pick]").set_input_files(tmp_path / "teile.csv")
    expect(maren.page.locator("#main [data-files] .file__note", has_text="ready")).to_be_visible()
    assert [part.removeprefix("bytes ").partition("-")[0] for part in ranges] == ["0", "4194304", "4194304"]


def test_a_refused_file_says_why_and_can_be_removed(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "werkzeug.exe").write_bytes(b"MZ" + b"\x00" * 2000)
    maren = visit("Maren")
    maren.expected.append("415")
    maren.open("allgemein")
    maren.page.locator("#main [data-pick]").set_input_files(tmp_path / "werkzeug.exe")
    failed = maren.page.locator("#main .file--bad")
    expect(failed.locator(".file__note")).to_have_text("Programs cannot be uploaded.")
    expect(maren.page.locator("#main [data-why]")).to_have_text(
        "Remove the file that failed, or try it again"
    )
    failed.locator("[data-cancel]").click()
    expect(maren.page.locator("#main [data-files]")).to_be_hidden()
    expect(maren.page.locator("#main [data-why]")).to_have_text("")


def test_files_are_dropped_anywhere_and_pasted(visit: Visit) -> None:
    maren = visit("Maren")
    maren.open("allgemein")
    page = maren.page
    drop = """([where, kind, name]) => {
        const data = new DataTransfer();
        data.items.add(new File(["Inhalt " + name], name, {type: "text/plain"}));
        const target = document.querySelector(where);
        const how = {bubbles: true, cancelable: true};
        const events = kind === "paste"
            ? [new ClipboardEvent("paste", {...how, clipboardData: data})]
            : ["dragenter", "dragover", kind].map((step) => new DragEvent(step, {...how, dataTransfer: data}));
        for (const event of events) target.dispatchEvent(event);
    }"""
    page.evaluate(drop, ["#main [data-stream]", "dragover", "nichts.txt"])
    expect(page.locator(".drop")).to_be_visible()
    page.evaluate(drop, ["#main [data-stream]", "drop", "gezogen.txt"])
    expect(page.locator(".drop")).to_have_count(0)
    page.evaluate(drop, ["#main [data-text]", "paste", "eingefuegt.txt"])
    names = page.locator("#main [data-files] .file__name")
    expect(names).to_have_text(["gezogen.txt", "eingefuegt.txt"])
    expect(page.locator("#main [data-files] .file__note", has_text="ready")).to_have_count(2)
    maren.write("Zwei auf einmal")
    expect(maren.message("Zwei auf einmal").locator(".file__name")).to_have_text(
        ["gezogen.txt", "eingefuegt.txt"]
    )

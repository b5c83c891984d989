"""A person with a browser: signs in, writes, reads, and notices everything that goes wrong."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, Route, WebSocket, expect
from playwright.sync_api import TimeoutError as TooLate

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
LOOK = (Path(__file__).parent / "look.js").read_text()
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
AUDIT = (Path(__file__).parent / "audit.js").read_text()
_KEPT, _KEPT_CHARACTERS = 20, 200


class Visitor:
    """One browser window.

    The console tells of every answer that is an error, so that nobody listens to all of them: seventy for a page.

    Attributes:
        troubles: errors of the console, of scripts and of the server, in order.
        expected: parts of texts that this test provokes.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.expected: list[str] = []
        self._seen: list[str] = []
        self._went: deque[str] = deque(maxlen=_KEPT)
        self._heard: deque[str] = deque(maxlen=_KEPT)
        page.on("console", self._console)
        page.on("framenavigated", self._navigated)
        page.on("websocket", self._connected)
        page.on("pageerror", lambda error: self._seen.append(f"script: {error.stack or error}"))

    @property
    def troubles(self) -> list[str]:
        """Return what went wrong and was not expected."""
        return [text for text in self._seen if not any(part in text for part in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"console: {message.text} at {message.location.get('url', '')}")

    def _navigated(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self._went.append(f"{_now()} at {frame.url}")

    def _connected(self, socket: WebSocket) -> None:
        self._heard.append(f"{_now()} opened")
        socket.on(
            "framereceived", lambda told: self._heard.append(f"{_now()} {str(told)[:_KEPT_CHARACTERS]}")
        )
        socket.on("close", lambda _: self._heard.append(f"{_now()} closed"))

    def account(self) -> str:
        """Return where this window was last, what its socket heard, and its troubles, with times."""
        return "\n".join([*self._went, *self._heard, *self._seen])

    def sign_in(self, email: str, password: str) -> None:
        """Send the sign-in form without drawing it: `test_signing_in` does that."""
        request = self.page.context.request
        form = request.get("/accounts/login/")
        token = CSRF.search(form.text())
        assert token is not None
        fields = {"csrfmiddlewaretoken": token[1], "login": email, "password": password}
        answer = request.post("/accounts/login/", form=fields, headers={"Referer": form.url}, max_redirects=0)
        assert answer.status == 302, answer.text()
        self.page.goto(answer.headers["location"])
        self.page.wait_for_url("**/o/**")

    def open(self, conversation: str) -> None:
        """Go to a conversation of the list by its name, and to its newest message."""
        self.page.evaluate("document.querySelector('#main [data-stream]')?.setAttribute('data-before', '')")
        link = self.page.locator(f'.conv[data-name="{conversation}"]')
        is_open = link.evaluate(
            "link => link.matches('[aria-current]') && link.pathname === location.pathname"
        )
        link.click()
        expect(self.page.locator("#main [data-before]")).to_have_count(1 if is_open else 0)
        expect(self.page.locator("[data-conversation-name]")).to_have_text(conversation)

    def write(self, text: str, *, where: str = "#main") -> None:
        """Write and send; return when the server has it and drew it, bold words as such."""
        field = self.page.locator(f"{where} [data-text]")
        field.fill(text)
        field.press("Enter")
        expect(self.message(text.replace("**", ""), where=where).last).to_be_visible()

    def message(self, text: str, *, where: str = "#main") -> Locator:
        """Return a stored message that holds the text."""
        return self.page.locator(f'{where} .message[data-sequence]:not([data-sequence="0"])', has_text=text)

    def act(self, message: Locator, what: str) -> None:
        """Press a button of the bar that a message shows under the pointer; a list that moves takes it away."""
        button = message.locator(f'[data-act="{what}"]')
        for _ in range(30):
            message.hover()
            with suppress(TooLate):  # it went from under the pointer: pointed at again
                button.click(timeout=1_000)
                return
        raise AssertionError(f"{what} could not be pressed")

    def leave(self, button: Locator) -> None:
        """Press what leads to another page; return when that stands, and nothing is on its way any more.

        Playwright's own `expect_navigation` ends also where htmx marks a step of the history, with each list it draws.
        """
        self.page.evaluate("document.documentElement.setAttribute('data-left', '')")
        button.click()
        expect(self.page.locator("html[data-left]")).to_have_count(0)
        self.page.wait_for_load_state()

    def choose(self, item: str) -> None:
        """Choose an item of the open menu."""
        self.page.locator("#menu").get_by_role("menuitem", name=item).click()

    def find(self, words: str) -> Locator:
        """Search again and again until a hit holds the words: the index follows a moment after the message."""
        hit = self.page.locator(".hit", has_text=words)
        for _ in range(150):
            self.page.goto(f"/o/nordlicht/search/?q={words}")
            if hit.count():
                break
        return hit

    def hold(self, address: str, act: Callable[[], object]) -> Route:
        """Act, and return the request for the address that follows, held until the caller lets it go on."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        self.page.route(address, hold, times=1)
        act()
        while not held:
            self.page.evaluate("0")  # what the browser tells is heard while something is asked of it
        return held[0]

    def look(self) -> list[str]:
        """Return what is wrong with the page as drawn: overflow, contrast, style attributes, names, targets."""
        found: list[str] = self.page.evaluate(LOOK)
        return found

    def audit(self) -> list[str]:
        """Return what breaks a rule of WCAG 2.1 A or AA or a good habit, for landmarks and headings too, by axe."""
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(AUDIT)
        return found


def _now() -> str:
    return f"{datetime.now(UTC):%H:%M:%S.%f}"[:-3]

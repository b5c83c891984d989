"""The product as it is shipped, in a directory of its own, and people who look at it with Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_SECONDS = 180
QUIET = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the browser, and time for the first start."""
    for item in items:
        if "tests/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(START_SECONDS + 120))
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="Chromium is not installed: apt-get install chromium")
                )


@dataclass(frozen=True)
class Stack:
    """A running product with its demo organizations."""

    url: str
    link: str
    people: list[dict[str, Any]]

    def person(self, name: str) -> dict[str, Any]:
        """Return a person of the demo by the beginning of its name."""
        return next(person for person in self.people if person["name"].startswith(name))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start everything once: PostgreSQL, Valkey, web, worker, relay, model, with the demo's people."""
    data = tmp_path_factory.mktemp("stack")
    foreign = ("CHATSYSTEM_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {
        "CHATSYSTEM_DATA_DIR": str(data),
        "CHATSYSTEM_PORT": str(_free_port()),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "chatsystem.supervisor", "--quick"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        url, link = _wait_until_ready(process)
        people = json.loads((data / "demo.json").read_text())["people"]
        yield Stack(url, link, people)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[str]) -> tuple[str, str]:
    url, lines, deadline = "", [], time.monotonic() + START_SECONDS
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready: "):
            url = line.removeprefix("ready: ").strip()
        if "/sign-in/" in line:
            return url, line.rpartition(": ")[2].strip()
        if time.monotonic() > deadline:
            break
    raise AssertionError("the stack did not become ready:\n" + "".join(lines[-40:]))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def visit(stack: Stack, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Open a browser for a person: `visit("Jonas")`, signed in; `visit(None)`, a stranger.

    At the end nobody may have seen an error in the console, a blocked script or style, or a fault of the server.
    """
    visitors: list[Visitor] = []

    def open_for(name: str | None, *, language: str = "en-GB", theme: str = "light", width: int = 1440,
                 height: int = 900, scripts: bool = True, is_phone: bool = False) -> Visitor:  # fmt: skip
        context = browser.new_context(
            base_url=stack.url, viewport={"width": width, "height": height}, locale=language, color_scheme=theme,  # type: ignore[arg-type]
            timezone_id="Europe/Berlin", java_script_enabled=scripts, has_touch=is_phone,
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        context.set_default_timeout(15_000)
        page: Page = context.new_page()
        visitor = Visitor(page)
        visitors.append(visitor)
        if name is not None:
            person = stack.person(name)
            visitor.sign_in(person["email"], person["password"])
        return visitor

    yield open_for
    troubles = [trouble for visitor in visitors for trouble in visitor.troubles]
    for visitor in visitors:
        visitor.page.context.close()
    assert troubles == []

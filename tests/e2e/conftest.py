"""The product as it is shipped but for cheap passwords, in a directory of its own, and people with Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chatsystem.supervisor.spawn import give_away
from chatsystem.testing import template
from chatsystem.testing.servers import ThrowAwayServers
from tests.e2e.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
# The one without windows needs half the processor; `./run` looks for the same.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHATSYSTEM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
START_SECONDS = 360
VISITORS = pytest.StashKey[list[Visitor]]()
expect.set_options(timeout=30_000)  # the worker comes after the first page, and two cores are shared
# Chromium draws two panels of its address line for each new window, unseen, which takes a second of processor. Only the
# last list of features counts, so that it repeats those of Playwright that matter here.
WITHOUT = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)  # fmt: skip
QUIET = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic", f"--disable-features={','.join(WITHOUT)}",
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell where each window of a flow that failed was, and what its socket heard: in CI it cannot be repeated."""
    report = yield
    if report.failed:
        for number, visitor in enumerate(item.stash.get(VISITORS, []), 1):
            report.sections.append((f"window {number} ({report.when})", visitor.account()))
    return report


@dataclass(frozen=True)
class Stack:
    """A running product with its demo organizations.

    Attributes:
        model_port: where the product looks for a language model; nobody listens there unless a test does.
        proxy_port: where it looks for the proxy to the world outside; the same.
        folders: below it lies a folder for each organization that may be read as a source of documents.
    """

    url: str
    link: str
    people: list[dict[str, Any]]
    model_port: int
    proxy_port: int
    folders: Path

    def person(self, name: str) -> dict[str, Any]:
        """Return a person of the demo by the beginning of its name."""
        return next(person for person in self.people if person["name"].startswith(name))


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start everything once: PostgreSQL, Valkey, web, worker, relay, model, with the demo's people."""
    data = tmp_path_factory.mktemp("stack")
    _put_migrated_cluster(data / "pg")
    model_port, proxy_port, port = _free_port(), _free_port(), _free_port()
    foreign = ("CHATSYSTEM_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "tests.e2e.settings.embedded",
        "CHATSYSTEM_DATA_DIR": str(data),
        "CHATSYSTEM_PORT": str(port),
        "CHATSYSTEM_PUBLIC_URL": f"http://localhost:{port}",  # passkeys need a name
        "CHATSYSTEM_ALLOWED_HOSTS": "127.0.0.1",  # the supervisor asks by number whether we are up
        "PYTHONUNBUFFERED": "1",
        "CHATSYSTEM_LLM_BASE_URL": f"http://127.0.0.1:{model_port}/v1",
        "CHATSYSTEM_LLM_MODEL": "test-model",
        "CHATSYSTEM_SEARCH_REWRITING": "true",
        "CHATSYSTEM_OUTBOUND_PROXY": f"http://127.0.0.1:{proxy_port}",
        "CHATSYSTEM_SOURCE_FOLDERS_ROOT": str(data / "sources"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "chatsystem.supervisor", "--quick"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        url, link = _wait_until_ready(process)
        people = json.loads((data / "demo.json").read_text())["people"]
        _wait_until_read(process, url, people[0]["api_key"])
        yield Stack(url, link, people, model_port, proxy_port, data / "sources")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _put_migrated_cluster(target: Path) -> None:
    """Spare the first start its migrations, which the tests' own template has behind it: most of its processor time.

    Everything else of a first start is done by the product, which finds nothing to migrate and nobody in the database.
    """
    servers = ThrowAwayServers.place()
    with servers.closing:
        template.copy(servers.cluster.data)
        process = servers.start_cluster()
        for statement in (
            "DROP DATABASE chat",
            "ALTER DATABASE test_chat RENAME TO chat",
            "REVOKE SET ON PARAMETER session_replication_role FROM chat_everywhere",
            "DROP ROLE chat_everywhere",  # no role of the product
        ):
            servers.cluster.ask(statement)
        process.send_signal(signal.SIGINT)
        process.wait()
        shutil.move(servers.cluster.data, target)
    give_away(target)


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


def _wait_until_read(process: subprocess.Popen[str], url: str, key: str) -> None:
    """Return when the handbook of the demo can be found: the worker reads it after the first page stands."""
    request = urllib.request.Request(
        f"{url}/api/v1/search/?q=Getriebe&type=document", headers={"Authorization": f"Bearer {key}"}
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(request, timeout=20) as answer:
            if json.load(answer)["results"]:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
    raise AssertionError("the demo's documents were not read in time")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here. Until it has ended, no test with an event loop of its own can run."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def visit(request: pytest.FixtureRequest, stack: Stack, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Open a browser for a person: `visit("Jonas")`, signed in; `visit(None)`, a stranger.

    At the end nobody may have seen an error in the console, a blocked script or style, or a fault of the server.
    """
    visitors = request.node.stash[VISITORS] = []

    def open_for(name: str | None, *, language: str = "en-GB", theme: str = "light", width: int = 1440,
                 height: int = 900, scripts: bool = True, is_phone: bool = False) -> Visitor:  # fmt: skip
        context = browser.new_context(
            base_url=stack.url, viewport={"width": width, "height": height}, locale=language, color_scheme=theme,  # type: ignore[arg-type]
            timezone_id="Europe/Berlin", java_script_enabled=scripts, has_touch=is_phone,
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        context.set_default_timeout(30_000)
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

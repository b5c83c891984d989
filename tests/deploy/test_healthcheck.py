"""Each check passes on a real peer that does its work and fails, in words, on one that does not."""

import http.server
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chatsystem import healthcheck


class Ready(http.server.BaseHTTPRequestHandler):
    status = 200
    hosts: list[str | None] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Ready]]:
    answering = type("Answering", (Ready,), {"hosts": []})
    with http.server.HTTPServer(("127.0.0.1", 0), answering) as server:
        monkeypatch.setenv("CHATSYSTEM_PORT", str(server.server_port))
        monkeypatch.setenv("CHATSYSTEM_PUBLIC_URL", "https://chat.example.org")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield answering
        server.shutdown()
        thread.join()


def test_web_is_asked_under_its_public_name(web: type[Ready]) -> None:
    assert healthcheck.main(["web"]) == 0
    assert web.hosts == ["chat.example.org"]


def test_web_that_is_not_ready_fails(web: type[Ready], capsys: pytest.CaptureFixture[str]) -> None:
    web.status = 503

    assert healthcheck.main(["web"]) == 1
    assert capsys.readouterr().err == "web: /readyz answered 503\n"


def test_relay_needs_a_leader(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.main(["relay"]) == 1
    assert capsys.readouterr().err == "relay: no relay leads\n"

    with psycopg.connect(os.environ["CHATSYSTEM_DATABASE_PLATFORM_URL"]) as leader:
        leader.execute("SELECT pg_advisory_lock(%s)", [healthcheck.RELAY_LOCK])
        assert healthcheck.main(["relay"]) == 0


def test_relay_lock_is_the_one_the_relay_takes() -> None:
    from apps.core.relay import loop

    assert healthcheck.RELAY_LOCK == loop.LEADER_LOCK


def test_model_must_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="chatsystem-") as directory:
        path = Path(directory, "model.sock")
        monkeypatch.setenv("CHATSYSTEM_MODEL_URL", f"unix://{path}")
        assert healthcheck.main(["model"]) == 1

        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()
            assert healthcheck.main(["model"]) == 0


@pytest.mark.parametrize("arguments", [[], ["other"], ["web", "relay"]])
def test_anything_else_is_refused(arguments: list[str]) -> None:
    assert healthcheck.main(arguments) == 2

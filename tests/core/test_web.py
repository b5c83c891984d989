"""The web process: parallel, bounded, and gone within its time."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest
import websockets

from tests.core.frozen import frozen_server
from tests.core.web_process import ROOT, WebProcess, environment, web_process

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: object) -> Iterator[WebProcess]:
    limits = {"CHATSYSTEM_STATEMENT_TIMEOUT_SECONDS": "2"}
    with django_db_blocker.unblock(), web_process(**limits) as running:
        yield running


def get(web: WebProcess, path: str, **options) -> httpx2.Response:
    with web.client() as client:
        return client.get(path, **options)


def test_liveness_names_the_instance(web):
    response = get(web, "/livez")
    assert response.json() == {"status": "alive", "instance": "test-instance"}
    assert response.headers["cache-control"] == "no-store"


def test_readiness_names_every_part(web):
    response = get(web, "/readyz")
    body = response.json()
    assert response.status_code == 200
    assert body["instance"] == "test-instance"
    assert {name: part["state"] for name, part in body["parts"].items()} == {
        "database": "ok", "migrations": "ok", "redis": "ok", "relay": "ok", "model": "ok",
    }  # fmt: skip
    assert body["status"] == "ready"


def test_sync_requests_run_in_parallel_in_their_threads(web):
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: get(web, "/meet").text, range(8)))
    assert len(set(answers)) == 8
    assert all(name.startswith("view-") for name in answers)


@pytest.mark.parametrize("path", ["/api/v1/loop", "/api/v1/brief"])
def test_async_api_views_run_on_the_loop_with_an_id_and_headers(web, path):
    response = get(web, path)
    assert response.json()["thread"] == "MainThread"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "private, no-store"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


def signalled(web, *paths, wanted):
    """Return the threads told of the last requests, here and of those before: an end is told after its answer."""
    for _ in range(100):
        for path in paths[:-1]:
            get(web, path)
        seen = get(web, paths[-1]).json()["signalled"]
        if seen == wanted:
            break
    return seen


def test_nothing_of_an_async_api_view_takes_a_thread(web):
    alone = ["MainThread"] * 3  # began, ended, began
    assert signalled(web, "/page", "/api/v1/loop", "/api/v1/loop", wanted=alone) == alone
    beside = ["view", "view", "MainThread"]
    assert signalled(web, "/page", "/api/v1/loop", wanted=beside) == beside


def test_a_brief_view_tells_nobody_unless_it_took_a_thread(web):
    nobody = ["MainThread", "view", "view"]  # of the loop its end, of the page both
    assert signalled(web, "/api/v1/loop", "/page", "/api/v1/brief", "/api/v1/brief", wanted=nobody) == nobody
    ended = ["MainThread", "MainThread", "view"]
    assert signalled(web, "/api/v1/loop", "/api/v1/brief/asks", "/api/v1/brief", wanted=ended) == ended


@pytest.mark.parametrize(
    ("path", "ended"), [("/api/v1/brief/waits", "released"), ("/api/v1/waits", "cancelled")]
)
def test_what_a_brief_view_has_begun_ends_though_its_client_leaves(web, path, ended):
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert get(web, "/api/v1/begun").status_code == 200
    release = "?release=1" if ended == "released" else ""
    assert get(web, f"/api/v1/ended{release}").text == ended


@pytest.mark.parametrize("path", ["/api/v1/asks", "/api/v1/brief/asks"])
def test_an_async_api_view_that_asks_the_database_has_a_thread_that_gives_it_back(web, path):
    for _ in range(5):  # more than the pool holds, were they kept
        with ThreadPoolExecutor(8) as clients:
            asked = list(clients.map(lambda _: get(web, path).json(), range(16)))
        assert {one["thread"] for one in asked} == {"view"}
    given_back = ["MainThread", "view", "MainThread"]
    assert signalled(web, "/api/v1/asks", "/api/v1/loop", wanted=given_back) == given_back
    streamed = get(web, "/api/v1/asks/stream").text.strip(";").split(";")
    assert len(streamed) == 2
    assert len(set(streamed)) == 1
    assert signalled(web, "/api/v1/asks/stream", "/api/v1/loop", wanted=given_back) == given_back


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/loop?missing=1", 404, "core.not_found"), ("/api/v1/brief?missing=1", 404, "core.not_found"),
        ("/api/v1/loop?fault=1", 500, "core.server_fault"), ("/api/v1/brief?fault=1", 500, "core.server_fault"),
        ("/api/v1/away", 503, "core.unavailable"), ("/api/v1/nowhere", 404, "core.not_found"),
    ],
)  # fmt: skip
def test_refusals_of_the_loop_are_problems(web, path, status, code):
    response = get(web, path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "secret" not in response.text
    assert "10.9.8.7" not in response.text


def test_streams_pass_through_threads_and_the_loop(web):
    assert get(web, "/stream").text == "view;view;view;"
    assert get(web, "/api/v1/events").text == "data: 1\n\n"


def test_many_requests_leave_no_connection_behind(web):
    """Forty requests over sixteen threads and a pool of eight: every connection went back, or the pool would be dry."""
    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda _: get(web, "/query").status_code, range(40)))
    assert answers == [200] * 40


def timed(client: httpx2.Client, path: str) -> tuple[httpx2.Response, float]:
    begun = time.monotonic()
    return client.get(path), time.monotonic() - begun


def test_a_query_of_ten_minutes_is_ended_by_the_database(web):
    with web.client() as client:
        response, took = timed(client, "/api/v1/long")
    assert (response.status_code, response.json()["code"]) == (503, "core.unavailable")
    assert 1.5 < took < 5


def test_a_database_that_stands_still_is_said_within_five_seconds_and_nobody_keeps_waiting(web):
    """More requests than threads, each asking: all are answered, the house stands, and goes on after the thaw."""
    paths = ["/api/v1/query", "/query"] * 12
    with web.client() as client, ThreadPoolExecutor(len(paths)) as threads:
        ask = partial(timed, client)
        with frozen_server():
            waited = list(threads.map(ask, paths))
            refused, *rest = [ask(path) for path in ("/api/v1/query", "/livez", "/readyz")]
        assert {answer.status_code for answer, _ in waited} == {503}
        assert max(took for _, took in waited) < 5
        assert (refused[0].json()["code"], refused[0].headers["retry-after"]) == ("core.unavailable", "2")
        assert [answer.status_code for answer, _ in (refused, *rest)] == [503, 200, 503]
        assert max(took for _, took in (refused, *rest)) < 1
        begun = time.monotonic()
        while client.get("/api/v1/query").status_code != 200:
            assert time.monotonic() - begun < 15
        assert {answer.status_code for answer, _ in threads.map(ask, paths)} == {200}


def chunks(count: int, size: int = 128 * 1024) -> Iterator[bytes]:
    """Yield a body whose length no header tells."""
    for _ in range(count):
        yield b"x" * size


@pytest.mark.parametrize("path", ["/take", "/api/v1/loop", "/api/v1/brief"])
def test_a_body_that_grows_beyond_the_limit_ends_the_request(web, path):
    with web.client() as client:
        response = client.post(path, content=chunks(64))
    assert response.status_code == 413
    assert response.json()["code"] == "core.body_too_large"
    assert get(web, "/livez").status_code == 200


@pytest.mark.parametrize("path", ["/take", "/api/v1/loop", "/api/v1/brief"])
def test_a_body_without_a_length_may_fill_the_limit(web, path):
    with web.client() as client:
        response = client.post(path, content=chunks(48))
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/take", "/api/v1/loop", "/api/v1/brief"])
def test_a_length_beyond_the_limit_is_refused_before_the_body_comes(web, path):
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as raw:
        raw.sendall(head.encode())
        answer = b""
        while piece := raw.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"core.body_too_large" in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_bad_head_is_refused_and_the_process_lives(web, head):
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as raw:
        raw.sendall(head)
        assert raw.recv(4096).split(b" ")[1] in (b"400", b"404")
    assert get(web, "/livez").status_code == 200


def test_unknown_socket_addresses_are_refused(web):
    async def knock():
        async with websockets.connect(f"ws://127.0.0.1:{web.port}/ws/v9/"):
            pytest.fail("no socket is there")

    with pytest.raises(websockets.InvalidStatus):
        asyncio.run(knock())


def test_imports_no_torch(web):
    import psutil

    mapped = {entry.path for entry in psutil.Process(web.process.pid).memory_maps()}
    assert not [path for path in mapped if "torch" in path]


def test_a_taken_port_is_said_in_one_line(django_db_setup, django_db_blocker, web):
    with django_db_blocker.unblock():
        variables = environment(CHATSYSTEM_PORT=str(web.port), CHATSYSTEM_HOST="127.0.0.1")
    ended = subprocess.run(
        [sys.executable, "-m", "chatsystem.web"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.decode() == f"cannot listen on 127.0.0.1:{web.port}: Address already in use\n"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_time_though_a_view_hangs(django_db_setup, django_db_blocker, how):
    with django_db_blocker.unblock(), web_process() as running:
        get(running, "/livez")
        with ThreadPoolExecutor(1) as client:
            hanging = client.submit(get, running, "/sleep")
            get(running, "/asleep")
            begun = time.monotonic()
            code = running.stop(how)
            took = time.monotonic() - begun
            assert hanging.result(20).status_code == 503
    assert code == 0
    assert took < 5

"""The model process: its own process where the model is needed, the application alone where it is not."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from apps.elyza.encoding import package
from apps.elyza.protocol import MAX_FRAME_BYTES, MAX_TEXTS, Frame, read_frame
from apps.elyza.server import model as model_module
from apps.elyza.server.application import MAX_CONNECTIONS, Application
from apps.elyza.services import connection
from apps.elyza.services.connection import NoAnswer
from apps.elyza.types import HALF_ROW_BYTES, MOST_QUERY_TOKENS, POOLED_TOKENS, TOKEN_BYTES, Missing
from tests.elyza.conftest import PROJECT, needs_model, start_model_process, stop_model_process


class ScriptedEncoder:
    """Stands where ONNX Runtime would: counts calls, and holds bulk work until the test lets it go."""

    version = "scripted-1"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.bulk_started = threading.Event()
        self.batches: list[int] = []

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        return [[1] * len(text) for text in texts]

    def embed(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        self.batches.append(len(rows))
        if threading.current_thread().name.startswith("bulk"):
            self.bulk_started.set()
            self.go_on.wait(10)
        if any(len(row) == 13 for row in rows):
            raise RuntimeError("thirteen")
        return np.array([[len(row)] * 384 for row in rows], np.float32)

    def embed_tokens(self, rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, list[np.ndarray]]:
        return self.embed(rows), [np.full((len(row), 384), 0.5, np.float32) for row in rows]


@asynccontextmanager
async def served(application: Application, directory: Path) -> AsyncIterator[Callable[[], object]]:
    """Serve on a socket; gives back a function that opens a connection."""
    path = directory / "model.sock"
    server = await asyncio.start_unix_server(application.serve, path)
    try:
        yield lambda: asyncio.open_unix_connection(path)
    finally:
        server.close()
        await application.close()


@pytest.fixture
def encoder() -> ScriptedEncoder:
    return ScriptedEncoder()


@pytest.fixture
def application(tmp_path: Path, encoder: ScriptedEncoder) -> Application:
    made = Application(tmp_path)
    made.model._encoder = encoder  # type: ignore[assignment]
    return made


async def ask(opened, header: dict) -> Frame:
    reader, writer = opened
    writer.write(Frame(header).encode())
    return await read_frame(reader)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"op": "drop"},
        {"op": ["embed"]},
        {"op": "embed"},
        {"op": "embed", "kind": "query", "texts": []},
        {"op": "embed", "kind": "query", "texts": ["a", "b"]},
        {"op": "embed", "kind": "bulk", "texts": "abc"},
        {"op": "embed", "kind": "bulk", "texts": [1]},
        {"op": "embed", "kind": "bulk", "texts": ["\ud800"]},
        {"op": "embed", "kind": "bulk", "texts": ["x" * 20_001]},
        {"op": "embed", "kind": "bulk", "texts": ["x"] * 1025},
        {"op": "embed", "kind": "slow", "texts": ["x"]},
        {"op": "embed", "kind": "query", "texts": ["x"], "tokens": 1},
        {"op": "embed", "kind": "bulk", "texts": ["x"], "tokens": "yes"},
        {
            "op": "score",
            "question": "a",
            "terms": [[0, 2]],
            "passages": [{"text": "a", "sentences": [[0, 1]]}],
        },
        {"op": "score", "question": "a", "terms": [], "passages": []},
        {"op": "score", "question": "a", "terms": [], "passages": ["a"]},
        {
            "op": "score",
            "question": "a",
            "terms": [],
            "passages": [{"text": "ab", "sentences": [[0, 2], [1, 2]]}],
        },
        {"op": "score", "question": "a", "terms": [], "passages": [{"text": "ab", "sentences": [[1, 0]]}]},
        {"op": "score", "question": "a", "terms": [], "passages": [{"text": "ab", "sentences": [[0, "1"]]}]},
    ],
)
async def test_a_wrong_request_is_refused_and_the_connection_goes_on(
    application: Application, short_directory: Path, encoder: ScriptedEncoder, header: dict
) -> None:
    async with served(application, short_directory) as connect:
        opened = await connect()
        refused = await ask(opened, header)
        assert (refused.header["ok"], refused.header["code"]) == (False, "bad_request")
        assert (await ask(opened, {"op": "health"})).header["ok"] is True
    assert encoder.batches == []


async def test_bytes_that_are_no_frame_close_the_connection(
    application: Application, short_directory: Path
) -> None:
    async with served(application, short_directory) as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await read_frame(reader)).header["code"] == "bad_frame"
        assert await reader.read() == b""
        assert (await ask(await connect(), {"op": "health"})).header["ok"] is True


async def test_too_many_connections_are_told_so(application: Application, short_directory: Path) -> None:
    async with served(application, short_directory) as connect:
        held = [await connect() for _ in range(MAX_CONNECTIONS)]
        for opened in held:
            await ask(opened, {"op": "health"})
        reader, _ = await connect()
        assert (await read_frame(reader)).header["code"] == "busy"


async def test_queries_pass_bulk_work(
    application: Application, short_directory: Path, encoder: ScriptedEncoder
) -> None:
    async with served(application, short_directory) as connect:
        bulk = asyncio.create_task(
            ask(await connect(), {"op": "embed", "kind": "bulk", "texts": ["x" * 300] * 9})
        )
        await asyncio.to_thread(encoder.bulk_started.wait, 5)
        answer = await ask(await connect(), {"op": "embed", "kind": "query", "texts": ["four"]})
        assert answer.header["ok"] is True
        assert not bulk.done()
        encoder.go_on.set()
        done = await bulk
    assert (done.header["rows"], done.header["columns"]) == (9, 384)


async def test_vectors_come_back_in_the_order_of_the_texts(
    application: Application, short_directory: Path, encoder: ScriptedEncoder
) -> None:
    encoder.go_on.set()
    texts = ["x" * length for length in (5, 400, 1, 33, 256, 7)]
    async with served(application, short_directory) as connect:
        answer = await ask(await connect(), {"op": "embed", "kind": "bulk", "texts": texts})
    assert connection.matrix(answer)[:, 0].tolist() == [len(text) for text in texts]


async def test_bits_of_tokens_come_behind_the_vectors_of_their_texts(
    application: Application, short_directory: Path, encoder: ScriptedEncoder
) -> None:
    encoder.go_on.set()
    texts = ["x" * length for length in (5, 400, 1, 0, 8)]
    header = {"op": "embed", "kind": "bulk", "texts": texts, "tokens": True}
    async with served(application, short_directory) as connect:
        answer = await ask(await connect(), header)
    vectors, bits = connection.matrix_and_tokens(answer, token_bytes=TOKEN_BYTES)
    assert vectors[:, 0].tolist() == [5, 400, 1, 0, 8]
    assert bits == [b"\xff" * 48 * rows for rows in (2, 100, 1, 0, 2)]


async def test_a_query_gets_its_first_tokens_as_numbers(
    application: Application, short_directory: Path
) -> None:
    header = {"op": "embed", "kind": "query", "texts": ["x" * 200], "tokens": True}
    async with served(application, short_directory) as connect:
        answer = await ask(await connect(), header)
        plain = await ask(await connect(), header | {"tokens": False})
    _, (tokens,) = connection.matrix_and_tokens(answer, token_bytes=HALF_ROW_BYTES)
    assert tokens == np.full((MOST_QUERY_TOKENS, 384), 0.5, "<f2").tobytes()
    assert "tokens" not in plain.header
    assert len(plain.payload) == 384 * 4


def test_the_largest_answer_fits_a_frame() -> None:
    rows = 254 // POOLED_TOKENS + 1  # of the 256 tokens a passage may have, two are marks
    assert MAX_TEXTS * (384 * 4 + rows * TOKEN_BYTES) < MAX_FRAME_BYTES - 100_000


async def test_a_caller_that_leaves_stops_its_bulk_work(
    application: Application, short_directory: Path, encoder: ScriptedEncoder
) -> None:
    async with served(application, short_directory) as connect:
        _, writer = await connect()
        writer.write(Frame({"op": "embed", "kind": "bulk", "texts": ["x" * 300] * 50}).encode())
        await asyncio.to_thread(encoder.bulk_started.wait, 5)
        (task,) = application._connections
        writer.close()
        await asyncio.wait({task}, timeout=5)
        assert task.done()
        encoder.go_on.set()
        answer = await ask(await connect(), {"op": "embed", "kind": "bulk", "texts": ["ab"]})
    assert answer.header["rows"] == 1
    assert sum(encoder.batches) <= 5  # what ran or was handed to a thread, of fifty


async def test_one_broken_query_harms_no_other(application: Application, short_directory: Path) -> None:
    async with served(application, short_directory) as connect:
        broken = await ask(await connect(), {"op": "embed", "kind": "query", "texts": ["x" * 13]})
        assert (broken.header["code"], broken.header["detail"]) == ("failed", "RuntimeError")
        assert (await ask(await connect(), {"op": "embed", "kind": "query", "texts": ["ok"]})).header[
            "ok"
        ] is True


async def test_queries_that_wait_together_are_computed_together(
    application: Application, encoder: ScriptedEncoder
) -> None:
    vectors = await asyncio.gather(*(application.lanes.embed_query(encoder, "x" * n) for n in (4, 2, 6)))
    assert [(vector[0], len(tokens)) for vector, tokens in vectors] == [(4, 4), (2, 2), (6, 6)]
    assert encoder.batches == [3]
    await application.close()


async def test_a_query_does_not_wait_for_the_model_and_bulk_does(
    tmp_path: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch, encoder: ScriptedEncoder
) -> None:
    release = threading.Event()

    def load(_cache: Path) -> ScriptedEncoder:
        release.wait(10)
        return encoder

    monkeypatch.setattr(model_module, "_load", load)
    monkeypatch.setattr(model_module, "is_installed", lambda: True)
    encoder.go_on.set()
    async with served(Application(tmp_path), short_directory) as connect:
        assert (await ask(await connect(), {"op": "health"})).header["state"] == "idle"
        query = await ask(await connect(), {"op": "embed", "kind": "query", "texts": ["a"]})
        assert query.header["code"] == "loading"
        bulk = asyncio.create_task(ask(await connect(), {"op": "embed", "kind": "bulk", "texts": ["a"]}))
        assert (await ask(await connect(), {"op": "health"})).header["state"] == "loading"
        release.set()
        assert (await bulk).header["ok"] is True
        assert (await ask(await connect(), {"op": "health"})).header["model_version"] == "scripted-1"


async def test_a_failed_load_is_named_and_tried_again_later(
    tmp_path: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch, encoder: ScriptedEncoder
) -> None:
    loads = []

    def load(_cache: Path) -> ScriptedEncoder:
        loads.append(1)
        if len(loads) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return encoder

    clock = SimpleNamespace(monotonic=lambda: clock.now, now=1000.0)
    monkeypatch.setattr(model_module, "_load", load)
    monkeypatch.setattr(model_module, "is_installed", lambda: True)
    monkeypatch.setattr(model_module, "time", clock)
    async with served(Application(tmp_path), short_directory) as connect:
        first = await ask(await connect(), {"op": "warm"})
        assert (first.header["code"], first.header["detail"]) == ("failed", "OSError ENOSPC")
        assert (await ask(await connect(), {"op": "warm"})).header["code"] == "failed"
        assert len(loads) == 1
        clock.now += model_module.RETRY_SECONDS
        assert (await ask(await connect(), {"op": "warm"})).header["state"] == "ready"


async def test_without_the_requirements_the_state_says_so(
    tmp_path: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "PACKAGE", "no_such_package")
    monkeypatch.setattr(package, "_NEEDED", ("no_such_package",))
    async with served(Application(tmp_path), short_directory) as connect:
        assert (await ask(await connect(), {"op": "health"})).header["state"] == "not_installed"
        refused = await ask(await connect(), {"op": "embed", "kind": "query", "texts": ["a"]})
        assert refused.header["code"] == "not_installed"


@needs_model
def test_the_process_is_small_until_it_has_loaded_the_model(short_directory: Path) -> None:
    running = start_model_process(short_directory)
    said = connection.exchange(url=running.url, header={"op": "health"}, timeout_seconds=2).header
    socket = short_directory / "model.sock"
    assert said["state"] == "idle"
    assert 0 < said["memory_bytes"] <= 40 * 1024 * 1024
    assert socket.stat().st_mode & 0o777 == 0o600
    assert stop_model_process(running) == 0
    assert not socket.exists()


def test_a_second_process_does_not_take_the_place_of_the_first(short_directory: Path) -> None:
    running = start_model_process(short_directory)
    second = subprocess.run(
        [sys.executable, "-m", "apps.elyza.server"],
        cwd=PROJECT,
        env=os.environ | {"CHATSYSTEM_MODEL_URL": running.url},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (second.returncode, "Another model process" in second.stderr) == (1, True)
    assert (
        connection.exchange(url=running.url, header={"op": "health"}, timeout_seconds=2).header["ok"] is True
    )
    stop_model_process(running)


def test_a_socket_left_by_a_killed_process_is_replaced(short_directory: Path) -> None:
    killed = start_model_process(short_directory)
    killed.process.kill()
    killed.process.communicate()
    assert (short_directory / "model.sock").is_socket()
    with pytest.raises(NoAnswer) as refused:
        connection.exchange(url=killed.url, header={"op": "health"}, timeout_seconds=2)
    assert refused.value.reason is Missing.UNREACHABLE
    running = start_model_process(short_directory)
    assert (
        connection.exchange(url=running.url, header={"op": "health"}, timeout_seconds=2).header["ok"] is True
    )
    stop_model_process(running)

"""Doors that somebody stands in when a way in ends: each is open once, then waits until it is closed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import orjson
from django.db import connections

from apps.core import tenancy
from apps.core.threads import in_thread
from apps.runs.models import Run
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec
from tests.benchmarks.wire import Client
from tests.core.web_process import PLAIN
from tests.factories.runs import work
from tests.security.revocation_scenes import Scene, Step
from tests.walls import everywhere

Opened = Callable[[], Awaitable[None]]


def http(scene: Scene) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=scene.web.url, headers=scene.headers, timeout=30, verify=PLAIN)


async def _request(scene: Scene, path: str, opened: Opened, closed: set[int]) -> None:
    async with http(scene) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path)).status_code == 200  # by now the process remembers the caller
        await opened()
        while (await client.get(path)).status_code not in closed:
            await asyncio.sleep(0.01)


async def request_door(scene: Scene, opened: Opened) -> None:
    await _request(scene, f"/api/v1/conversations/{scene.channel}/", opened, {401, 404})


async def hot_request_door(scene: Scene, opened: Opened) -> None:
    await _request(scene, f"/api/v1/conversations/{scene.channel}/messages/", opened, {401, 404})


async def socket_door(scene: Scene, opened: Opened) -> None:
    """Closed means: the connection ended, or the channel was left, as `conversation.removed` tells."""
    frames: list[dict[str, Any]] = []
    url = scene.web.url.replace("http", "ws") + f"/ws/v1/?organization={scene.ada.organization_id}"
    client = await Client(url, scene.headers, lambda payload: frames.append(orjson.loads(payload))).connect()
    while not any(frame["frame"] == "hello" for frame in frames):
        await asyncio.sleep(0.01)
    try:
        await opened()
        while not (client.is_closed or any(frame.get("type") == "conversation.removed" for frame in frames)):
            await asyncio.sleep(0.01)
    finally:
        client.close()


async def stream_door(scene: Scene, opened: Opened, notes: Path) -> None:
    run = await in_thread(waiting_run, scene, notes, "tests.stream_and_wait")
    thread = beside(run)
    path = f"/api/v1/runs/{run.id}/events"
    try:
        async with http(scene) as client, client.stream("GET", path) as answer:
            assert answer.status_code == 200, await answer.aread()
            async with aclosing(answer.aiter_lines()) as lines:
                async for line in lines:
                    if line == "id: 1":
                        break
                await opened()
                async for _line in lines:
                    continue
    finally:
        let_go(notes)
        await in_thread(thread.join)


async def work_door(scene: Scene, opened: Opened, notes: Path) -> None:
    run = await in_thread(waiting_run, scene, notes)
    thread = beside(run)
    while "began" not in written(notes):
        await asyncio.sleep(0.01)
    await opened()
    await in_thread(thread.join)
    assert await in_thread(seen, run.id, "state") == "cancelled"
    assert "done" not in written(notes)


def seen(run_id: UUID, column: str) -> Any:
    with everywhere():
        return Run.objects.values_list(column, flat=True).get(pk=run_id)


def written(notes: Path) -> str:
    return notes.read_text() if notes.exists() else ""


def let_go(notes: Path) -> None:
    notes.with_name(f"{notes.name}.go").touch()


def waiting_run(scene: Scene, notes: Path, step: str = "tests.wait") -> Any:
    """Start work of Ada's for the audience of the channel."""
    with tenancy.use(scene.ada.organization_id):
        return start_run(
            kind="tests",
            principal=scene.acting,
            steps=[StepSpec(step, {"path": str(notes)})],
            scope_id=scene.scope,
        )


def beside(run: Any) -> threading.Thread:
    def call() -> None:
        try:
            work(run)
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    return thread


async def measured(scene: Scene, door: str, revoke: Step, notes: Path) -> float:
    """Return the seconds from the end of the revocation to the closed door."""
    ended: list[float] = []

    async def opened() -> None:
        def end() -> None:
            with tenancy.use(scene.ada.organization_id):
                revoke(scene)
            ended.append(time.monotonic())

        await in_thread(end)

    work_of = {
        "request": lambda: request_door(scene, opened),
        "hot request": lambda: hot_request_door(scene, opened),
        "socket": lambda: socket_door(scene, opened),
        "stream": lambda: stream_door(scene, opened, notes),
        "work": lambda: work_door(scene, opened, notes),
    }[door]
    async with asyncio.timeout(20):
        await work_of()
    return time.monotonic() - ended[0]

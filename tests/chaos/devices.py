"""REL-16: one person on three devices, another one beside it, lines that break; when it is quiet all show the same."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import tempfile
import time
import urllib.error
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.stack import Person, Stack
from tests.chaos.device import Device
from tests.chaos.plans import DEVICES, OTHER, Operation, plan, shrink
from tests.chaos.views import Json, differences

QUIET_SECONDS = 30.0
SHRINK_SECONDS = 240.0
INSIST_SECONDS = 120.0  # longer than any break, and than a web process needs to start


@dataclass
class Outcome:
    """What came of a list of operations.

    Attributes:
        differing: where devices show something else than one another, or than a device that comes new.
        failed: answers that are the server's fault.
    """

    differing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    converged_seconds: float = 0.0
    breaks: int = 0
    loads: int = 0
    asks: int = 0

    @property
    def broken(self) -> list[str]:
        """What was promised and is not so."""
        return self.differing + self.failed


class Episode:
    """Two fresh channels, and a list of operations in them."""

    def __init__(self, running: Stack, operations: Sequence[Operation]) -> None:
        self._running, self._operations = running, operations
        self._people = [running.person("owner"), running.person("admin")]
        self._chance = random.Random(len(operations))
        loop = asyncio.get_running_loop()
        self._made: dict[int, asyncio.Future[str | None]] = {
            one.number: loop.create_future() for one in operations if one.kind in ("send", "reply")
        }
        self.outcome = Outcome()

    async def run(self) -> Outcome:
        """Do everything, wait until it is quiet, and compare."""
        self._ids = [str((await self._call(person, "GET", "me/"))["id"]) for person in self._people]
        self._names = [(await self._call(person, "GET", "me/"))["name"] for person in self._people]
        self._channels = [await self._make_channel(name) for name in ("here", "there")]
        self._devices = [self._device() for _ in range(DEVICES)]
        living = [asyncio.create_task(device.live()) for device in self._devices]
        try:
            await self._until_settled(self._devices)
            async with asyncio.TaskGroup() as actors:
                for actor in range(DEVICES + 1):
                    actors.create_task(self._act([one for one in self._operations if one.actor == actor]))
            await self._compare()
        finally:
            for task in living:
                task.cancel()
            ended = await asyncio.gather(*living, return_exceptions=True)
        self.outcome.failed += [f"a device gave up: {one!r}" for one in ended if isinstance(one, Exception)]
        for name in ("breaks", "loads", "asks"):
            setattr(self.outcome, name, sum(getattr(device, name) for device in self._devices))
        return self.outcome

    async def _make_channel(self, name: str) -> str:
        body = {"name": f"{name} {time.time_ns()}", "people": [self._ids[1]]}
        return str((await self._call(self._people[0], "POST", "conversations/", body))["id"])

    def _device(self) -> Device:
        return Device(self._running, self._people[0], self._ids[0], self._channels)

    async def _call(self, person: Person, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._running.call, person, method, f"/api/v1/{path}", body)

    # Doing

    async def _act(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            await asyncio.sleep(self._chance.uniform(0, 0.02))
            try:
                await getattr(self, f"_{operation.kind}")(operation)
            except urllib.error.HTTPError as error:
                code = json.loads(error.read()).get("code", "")
                if error.code >= 500:
                    self.outcome.failed.append(f"{operation.kind} was answered {error.code} {code}")
                self.outcome.refused[code] += 1
            finally:
                made = self._made.get(operation.number)
                if made is not None and not made.done():
                    made.set_result(None)

    async def _do(self, operation: Operation, method: str, path: str, body: Any = None) -> Any:
        return await self._call(self._people[operation.actor == OTHER], method, path, body)

    async def _on_target(self, operation: Operation, method: str, path: str, body: Any = None) -> None:
        """Do something with the message that an earlier operation made, if it made one."""
        message = await self._target(operation)
        if message is not None:
            await self._do(operation, method, f"messages/{message}/{path}", body)

    async def _target(self, operation: Operation) -> str | None:
        made = self._made.get(operation.target)
        return None if made is None else await made

    async def _send(self, operation: Operation, thread: str | None = None) -> None:
        name = self._names[operation.actor != OTHER]
        body = f"Nr. {operation.number}" + (f" @{name}" if operation.number % 3 == 0 else "")
        fields = {"body": body, "client_key": f"n{operation.number}"}
        fields |= {"thread": thread} if thread else {"topic": operation.value}
        place = self._channels[operation.place]
        if operation.actor == OTHER or operation.number % 4 == 0:
            answer = await self._do(operation, "POST", f"conversations/{place}/messages/", fields)
            self._made[operation.number].set_result(str(answer["id"]))
            return
        answer = await self._insist(
            self._devices[operation.actor], frame="send", conversation=place, **fields
        )
        self._made[operation.number].set_result(answer.get("message"))

    async def _insist(self, device: Device, **frame: Any) -> Json:
        """Ask until there is an answer, over as many lines as it takes; a client key makes that harmless."""
        until = time.monotonic() + INSIST_SECONDS
        while time.monotonic() < until:
            try:
                answer = await device.ask(**frame)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            if answer["frame"] == "error":
                self.outcome.refused[answer["code"]] += 1
            return answer
        self.outcome.failed.append(f"{frame['frame']} was never answered")
        return {}

    async def _reply(self, operation: Operation) -> None:
        message = await self._target(operation)
        if message is not None:
            await self._send(operation, thread=message)

    async def _edit(self, operation: Operation) -> None:
        name = self._names[operation.actor != OTHER]
        body = f"Geändert {operation.number}" + (f" @{name}" if operation.number % 2 else "")
        await self._on_target(operation, "PATCH", "", {"body": body})

    async def _delete(self, operation: Operation) -> None:
        await self._on_target(operation, "DELETE", "")

    async def _restore(self, operation: Operation) -> None:
        await self._on_target(operation, "POST", "restore/")

    async def _react(self, operation: Operation) -> None:
        await self._on_target(operation, "POST", "reactions/", {"emoji": operation.value})

    async def _unreact(self, operation: Operation) -> None:
        await self._on_target(operation, "DELETE", "reactions/", {"emoji": operation.value})

    async def _pin(self, operation: Operation) -> None:
        await self._on_target(operation, "PUT", "pin/", {"is_pinned": operation.value == "yes"})

    async def _move(self, operation: Operation) -> None:
        span = ("message", "later", "topic")[operation.number % 3]
        await self._on_target(operation, "POST", "move/", {"span": span, "topic": operation.value})

    async def _carry(self, operation: Operation) -> None:
        place = self._channels[operation.place]
        body = {"span": "message", "topic": operation.value, "conversation": place}
        await self._on_target(operation, "POST", "move/", body)

    async def _read(self, operation: Operation) -> None:
        """Read as far as this device shows, or up to a message; all of it, a topic or a thread."""
        device, message = self._devices[operation.actor], await self._target(operation)
        pk = self._channels[operation.place]
        view = device.views.get(pk)
        shown = view.messages.get(message or "") if view is not None else None
        if view is None:
            return
        frame: dict[str, Any] = {"sequence": shown["sequence"] if shown else view.head}
        if operation.value != "all" and shown is not None:
            topic = shown["topic"]["id"] if shown["topic"] else pk
            frame["place"] = topic if operation.value == "topic" else shown["thread"] or shown["id"]
        await self._insist(device, frame="read", conversation=pk, **frame)

    async def _unread(self, operation: Operation) -> None:
        message = await self._target(operation)
        if message is not None:
            body = {"unread_from": message, "only_topic": operation.value == "topic"}
            path = f"conversations/{self._channels[operation.place]}/read/"
            await self._do(operation, "PUT", path, body)

    async def _mute(self, operation: Operation) -> None:
        await self._prefer(operation, "is_muted")

    async def _star(self, operation: Operation) -> None:
        await self._prefer(operation, "is_starred")

    async def _prefer(self, operation: Operation, name: str) -> None:
        path = f"conversations/{self._channels[operation.place]}/"
        await self._do(operation, "PATCH", path, {name: operation.value == "yes"})

    async def _level(self, operation: Operation) -> None:
        await self._on_topic(operation, {"level": operation.value})

    async def _rename(self, operation: Operation) -> None:
        await self._on_topic(operation, {"name": operation.value})

    async def _resolve(self, operation: Operation) -> None:
        await self._on_topic(operation, {"is_resolved": operation.value == "yes"})

    async def _on_topic(self, operation: Operation, body: Json) -> None:
        """Change the topic that a message has on the first device, where it has one."""
        message = await self._target(operation)
        for pk, view in list(self._devices[operation.actor % DEVICES].views.items()):
            shown = view.messages.get(message or "")
            if shown is not None and shown["topic"]:
                await self._do(operation, "PATCH", f"conversations/{pk}/topics/{shown['topic']['id']}/", body)

    async def _leave(self, operation: Operation) -> None:
        path = f"conversations/{self._channels[operation.place]}/members/{self._ids[0]}/"
        await self._do(operation, "DELETE", path)

    async def _join(self, operation: Operation) -> None:
        path = f"conversations/{self._channels[operation.place]}/members/"
        await self._do(operation, "POST", path, {"people": [self._ids[0]]})

    async def _break(self, operation: Operation) -> None:
        self._devices[operation.actor].cut(operation.seconds)

    # Comparing

    async def _until_settled(self, devices: Sequence[Device]) -> None:
        async with asyncio.timeout(QUIET_SECONDS):
            while not all(device.is_settled for device in devices):
                await asyncio.sleep(0.05)

    async def _compare(self) -> None:
        """Compare the devices with one that comes new, again and again until they agree or time is over."""
        begun = time.monotonic()
        while True:
            self.outcome.differing = await self._differing()
            self.outcome.converged_seconds = time.monotonic() - begun
            if not self.outcome.differing or self.outcome.converged_seconds > QUIET_SECONDS:
                return
            await asyncio.sleep(0.3)

    async def _differing(self) -> list[str]:
        fresh = self._device()
        living = asyncio.create_task(fresh.live())
        try:
            await self._until_settled([fresh])
            expected, threads = fresh.state(), fresh.fetched_threads()
        except TimeoutError:
            return ["a device that comes new is not done"]
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
        found = [
            f"device {number}: it waits for something"
            for number, device in enumerate(self._devices)
            if not device.is_settled
        ]
        for number, device in enumerate(self._devices):
            found += [
                f"device {number} and a new one: {line}" for line in differences(device.state(), expected)
            ]
        shown = {
            pk: one["replies"]
            for view in expected["conversations"].values()
            for pk, one in view["messages"].items()
        }
        found += [f"threads: {line}" for line in differences({pk: shown.get(pk) for pk in threads}, threads)]
        return found


async def agree(running: Stack, *, operations: int, episode: int, longest_break: float) -> list[str]:
    """Run episodes until so many operations were done; store a list that shows a difference, as short as it gets."""
    outcomes: list[Outcome] = []
    broken: list[str] = []
    begun, done = time.monotonic(), 0
    while done < operations:
        seed = random.randrange(1 << 30)
        made = plan(seed, min(episode, operations - done), longest_break=longest_break)
        outcomes.append(await Episode(running, made).run())
        done, seconds = done + len(made), time.monotonic() - begun
        progress(f"devices: {done} of {operations} operations, {len(outcomes[-1].broken)} differences")
        if outcomes[-1].broken:
            progress("\n".join(line[:400] for line in outcomes[-1].broken[:10]))
            broken += [f"devices: {line}" for line in outcomes[-1].broken[:10]]
            broken.append(f"devices: see {await _store(running, seed, made, outcomes[-1])}")
            break
    _tell(done, seconds, outcomes)
    return broken


def stored(path: Path) -> list[Operation]:
    """Return the operations of a counter-example."""
    return [Operation(**one) for one in json.loads(path.read_text())["operations"]]


async def repeat(running: Stack, operations: Sequence[Operation]) -> list[str]:
    """Run the operations of a stored counter-example again."""
    begun = time.monotonic()
    outcome = await Episode(running, operations).run()
    _tell(len(operations), time.monotonic() - begun, [outcome])
    return [f"devices: {line}" for line in outcome.broken[:20]]


async def _store(running: Stack, seed: int, made: Sequence[Operation], outcome: Outcome) -> Path:
    """Shorten the list while there is time, and write it with what differed."""
    until = time.monotonic() + SHRINK_SECONDS
    last = outcome

    async def fails(operations: Sequence[Operation]) -> bool:
        nonlocal last
        for _ in range(2):  # it may take luck
            if time.monotonic() > until:
                return False
            found = await Episode(running, operations).run()
            if found.broken:
                last = found
                progress(f"devices: still so with {len(operations)} operations")
                return True
        return False

    short = await shrink(made, fails)
    path = Path(tempfile.gettempdir()) / f"chatsystem-devices-{seed}.json"
    told = {
        "seed": seed, "differing": last.broken, "operations": [dataclasses.asdict(one) for one in short],
    }  # fmt: skip
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False))
    return path


def _tell(operations: int, seconds: float, outcomes: Sequence[Outcome]) -> None:
    refused = sum((one.refused for one in outcomes), Counter[str]())
    progress(f"devices: refused {dict(refused.most_common())}")
    figures: tuple[tuple[str, float, str, float | None, str], ...] = (
        ("operations", operations, "count", None, "higher"),
        ("seconds", seconds, "s", None, "lower"),
        ("breaks", sum(one.breaks for one in outcomes), "count", None, "higher"),
        ("refused", sum(refused.values()), "count", None, "lower"),
        ("counts_asked", sum(one.asks for one in outcomes), "count", None, "lower"),
        ("loaded_anew", sum(one.loads for one in outcomes), "count", None, "lower"),
        ("devices_differ", sum(bool(one.differing) for one in outcomes), "count", 0, "lower"),
        ("server_faults", sum(len(one.failed) for one in outcomes), "count", 0, "lower"),
        ("converged_seconds", max(one.converged_seconds for one in outcomes), "s", QUIET_SECONDS, "lower"),
    )
    for name, value, unit, goal, better in figures:
        figure(bench="chaos devices", name=name, value=value, unit=unit, goal=goal, better=better)

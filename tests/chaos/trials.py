"""The trials: REL-01, 02, 03, 09, 10, 13 and 16 of the security tests, each with its own conversations and books."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
import urllib.error
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.figures import figure
from tests.benchmarks.stack import Person, Stack
from tests.chaos import crossing, devices, faults
from tests.chaos.asking import answered, head_of
from tests.chaos.client import ChaosClient
from tests.chaos.database import stand_still
from tests.chaos.ledger import Ledger
from tests.chaos.plans import Operation

READERS, SENDERS = 3, 4
MESSAGES = 1_000  # that the deaths of all processes meet


@dataclass(frozen=True)
class Size:
    """How long and how much.

    Attributes:
        rounds: of kills.
        freeze_seconds: that Redis and the database stand still.
        missed: events that a reader is away for.
        sockets: that are cut at once.
        keys: that are sent five times at once.
        operations: on three devices, in so long episodes, with breaks up to so many seconds.
        crossing_seconds: that people get in each other's way.
        again: operations of a stored counter-example that the devices repeat instead.
    """

    rounds: int
    freeze_seconds: float
    missed: int
    sockets: int
    keys: int
    operations: int
    episode: int
    break_seconds: float
    crossing_seconds: float
    pace_seconds: float = 0.1
    again: Sequence[Operation] = ()


SIZES = {
    "quick": Size(1, 8, 400, 60, 40, 400, 200, 2, 60),
    "standard": Size(3, 30, 2_000, 500, 250, 2_000, 500, 10, 180),
    "full": Size(10, 60, 5_000, 2_000, 1_000, 10_000, 1_000, 20, 900),
}
Trial = Callable[[Stack, Size], Awaitable[list[str]]]


async def make_channel(running: Stack) -> tuple[list[Person], str]:
    """Create a conversation of the owner and an administrator."""
    people = [running.person("owner"), running.person("admin")]
    me = await answered(running, people[1], "/api/v1/me/")
    body = {"name": f"chaos {time.time_ns()}", "people": [me["id"]]}
    made = await answered(running, people[0], "/api/v1/conversations/", method="POST", body=body)
    return people, str(made["id"])


async def endure(
    running: Stack, size: Size, name: str, fault: Callable[[], Awaitable[None]], *, at_least: int = 0
) -> list[str]:
    """Send and read while the fault goes on, and until `at_least` messages were tried; then compare the books."""
    people, conversation = await make_channel(running)
    clients = [ChaosClient(running, people[n % 2], conversation) for n in range(SENDERS + READERS)]
    ledger = Ledger(name, clients[:SENDERS], clients[SENDERS:])
    await asyncio.gather(*(client.connect() for client in clients))
    over = asyncio.Event()

    async def send(client: ChaosClient, number: int) -> None:
        for index in itertools.count():
            if over.is_set() and len(ledger.tried) >= at_least:
                return
            key = f"{number}.{index}"
            ledger.tried.append(key)
            await client.say(f"chaos {key}", key)
            await asyncio.sleep(size.pace_seconds)

    following = [asyncio.create_task(reader.follow()) for reader in ledger.readers]
    sending = [asyncio.create_task(send(client, number)) for number, client in enumerate(ledger.senders)]
    await asyncio.sleep(1)
    await fault()
    over.set()
    await asyncio.gather(*sending)
    for task in following:
        task.cancel()
    return await ledger.close(running, people[0], conversation)


async def killed(running: Stack, size: Size) -> list[str]:
    """REL-01: every process is killed in turn."""
    return await endure(
        running, size, "killed", lambda: faults.kill_in_turn(running, size.rounds), at_least=MESSAGES
    )


async def redis_away(running: Stack, size: Size) -> list[str]:
    """REL-09: Redis stands still, then is killed and starts empty."""

    async def fault() -> None:
        async with faults.frozen(running, "redis"):
            await asyncio.sleep(size.freeze_seconds)
        await asyncio.sleep(2)
        faults.kill(running, "redis")
        await asyncio.sleep(faults.PAUSE_SECONDS)

    return await endure(running, size, "redis", fault)


async def database_stuck(running: Stack, size: Size) -> list[str]:
    """REL-10: the database stands still; the house says so, and is back at once afterwards."""
    _, other = await make_channel(running)
    broken: list[str] = []

    async def fault() -> None:
        broken.extend(await stand_still(running, other, size.freeze_seconds))

    return await endure(running, size, "database", fault) + broken


async def repeated(running: Stack, size: Size) -> list[str]:
    """REL-02: five copies at once, another text, another sender, and once more after a restart."""
    people, conversation = await make_channel(running)
    path = f"/api/v1/conversations/{conversation}/messages/"

    def post(person: Person, key: str, body: str) -> tuple[int, str]:
        try:
            answer = running.call(person, "POST", path, {"body": body, "client_key": key})
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()).get("code", "")
        return 200, str(answer["id"])

    async def copies(key: str, number: int) -> set[tuple[int, str]]:
        same = (asyncio.to_thread(post, people[0], key, f"text of {key}") for _ in range(number))
        return set(await asyncio.gather(*same))

    keys = [f"again.{number}" for number in range(size.keys)]
    first = {key: await copies(key, 5) for key in keys}
    faults.kill(running, "web")
    await head_of(running, people[0], conversation)
    later = {key: await copies(key, 1) for key in keys}
    other = [await asyncio.to_thread(post, people[0], key, "another text") for key in keys[:10]]
    theirs = [await asyncio.to_thread(post, people[1], key, "mine") for key in keys[:10]]
    differing = sum(len(first[key]) != 1 or first[key] != later[key] for key in keys)
    own = {answer for status, answer in theirs if status == 200}
    figure(bench="chaos repeated", name="keys_with_differing_answers", value=differing, unit="count", goal=0)
    checks = (
        (differing == 0, f"{differing} keys had differing answers"),
        (set(other) == {(422, "chat.client_key_reused")}, f"another text was answered {Counter(other)}"),
        (len(own) == len(theirs), "another sender's key was not a message of its own"),
        (
            not own & {answer for answers in first.values() for _, answer in answers},
            "a stored answer was another's",
        ),
    )
    return [f"repeated: {text}" for holds, text in checks if not holds]


async def missed(running: Stack, size: Size) -> list[str]:
    """REL-03: a reader is away while messages arrive, comes back in the middle of them, and misses none."""
    people, conversation = await make_channel(running)
    sender = ChaosClient(running, people[0], conversation)
    readers = [ChaosClient(running, people[1], conversation) for _ in range(2)]
    ledger = Ledger("missed", [sender], readers)
    await asyncio.gather(*(client.connect() for client in (sender, *readers)))

    async def send(keys: list[str]) -> None:
        for start in range(0, len(keys), 50):
            await asyncio.gather(*(sender.say(f"chaos {key}", key) for key in keys[start : start + 50]))

    ledger.tried = [f"missed.{number}" for number in range(size.missed)]
    half = size.missed // 2
    readers[0].close()
    await send(ledger.tried[:half])
    rest = asyncio.create_task(send(ledger.tried[half:]))
    begun = time.monotonic()
    await readers[0].connect()
    await readers[0].catch_up(half)
    took = (time.monotonic() - begun) / max(1, half) * 1000
    figure(bench="chaos missed", name="filled_seconds_per_1000", value=took, unit="s", goal=2)
    await rest
    return await ledger.close(running, people[0], conversation)


async def all_cut(running: Stack, size: Size) -> list[str]:
    """REL-13: the web process dies with all its sockets; everybody comes back."""
    people, conversation = await make_channel(running)
    clients = [ChaosClient(running, people[n % 2], conversation) for n in range(size.sockets)]
    for start in range(0, len(clients), 50):
        await asyncio.gather(*(client.connect() for client in clients[start : start + 50]))
    begun = time.monotonic()
    faults.kill(running, "web")
    await asyncio.sleep(0.2)
    back = await asyncio.gather(*(client.connect() for client in clients), return_exceptions=True)
    took, away = time.monotonic() - begun, sum(isinstance(one, BaseException) for one in back)
    for client in clients:
        with contextlib.suppress(OSError):
            client.close()
    figure(bench="chaos cut", name="sockets", value=len(clients), unit="count", better="higher")
    figure(bench="chaos cut", name="all_back_seconds", value=took, unit="s", goal=60)
    figure(bench="chaos cut", name="not_back", value=away, unit="count", goal=0)
    return [f"cut: {away} sockets did not come back"] if away else []


async def devices_agree(running: Stack, size: Size) -> list[str]:
    """REL-16: random operations on three devices whose lines break; all show the same afterwards."""
    if size.again:
        return await devices.repeat(running, size.again)
    return await devices.agree(
        running, operations=size.operations, episode=size.episode, longest_break=size.break_seconds
    )


async def crossing_each_other(running: Stack, size: Size) -> list[str]:
    """Nobody's request is ended because of what others do to the same messages at once."""
    return await crossing.cross(running, size.crossing_seconds)


TRIALS: dict[str, Trial] = {
    "killed": killed,
    "repeated": repeated,
    "missed": missed,
    "redis": redis_away,
    "database": database_stuck,
    "cut": all_cut,
    "devices": devices_agree,
    "crossing": crossing_each_other,
}

"""`python -m tests.chaos [--size quick|standard|full]`: exits 1 when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import time

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.stack import Person, Stack, end_on_signals, stack
from tests.chaos.client import ChaosClient

SIZES = {"quick": (1_000, 1), "standard": (10_000, 3), "full": (100_000, 10)}
VICTIMS = ("web", "worker", "relay", "redis", "postgres")
READERS = 3


async def torment(running: Stack, rounds: int, done: asyncio.Event) -> list[str]:
    """Kill every process in turn, each once a round, until the messages are through."""
    killed: list[str] = []
    for _ in range(rounds):
        for victim in random.sample(VICTIMS, len(VICTIMS)):
            with contextlib.suppress(ProcessLookupError, StopIteration):
                os.kill(running.pid(victim), signal.SIGKILL)
                killed.append(victim)
                progress(f"killed {victim}")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(done.wait(), 6)
    return killed


async def send_all(client: ChaosClient, keys: list[str], pace: float) -> None:
    """Send with pauses, so that the messages last as long as the faults."""
    for key in keys:
        await client.say(f"chaos {key}", key)
        await asyncio.sleep(pace)


async def run(running: Stack, count: int, rounds: int) -> list[str]:
    """Return the broken promises."""
    owner, admin = running.person("owner"), running.person("admin")
    conversation = make_channel(running, owner, admin)
    people = [owner, admin]
    senders = [ChaosClient(running.socket_url, people[number % 2], conversation) for number in range(4)]
    readers = [ChaosClient(running.socket_url, people[number % 2], conversation) for number in range(READERS)]
    await asyncio.gather(*(client.connect() for client in [*senders, *readers]))
    keys = [[f"{number}.{index}" for index in range(count // len(senders))] for number in range(len(senders))]
    done = asyncio.Event()
    faults = asyncio.create_task(torment(running, rounds, done))
    following = [asyncio.create_task(reader.follow()) for reader in readers]
    begun = time.monotonic()
    pace = rounds * len(VICTIMS) * 6 / (count / len(senders))
    await asyncio.gather(*(send_all(client, own, pace) for client, own in zip(senders, keys, strict=True)))
    killed = await faults
    for task in following:
        task.cancel()
    head = await head_of(running, owner, conversation)
    await asyncio.gather(*(reader.catch_up(head) for reader in readers))
    stored = await history(running, owner, conversation)
    broken = judge(senders, readers, stored, [key for own in keys for key in own])
    report(senders, readers, killed, stored, time.monotonic() - begun)
    for client in [*senders, *readers]:
        client.close()
    return broken


def judge(
    senders: list[ChaosClient], readers: list[ChaosClient], stored: list[tuple[int, str]], keys: list[str]
) -> list[str]:
    """Compare what was acknowledged, stored and seen."""
    broken = []
    by_key: dict[str, list[int]] = {}
    for sequence, key in stored:
        by_key.setdefault(key, []).append(sequence)
    acknowledged = {key: sequence for client in senders for key, sequence in client.acknowledged.items()}
    lost = [key for key in keys if key not in by_key]
    doubled = [key for key, sequences in by_key.items() if len(sequences) > 1]
    moved = [key for key, sequence in acknowledged.items() if by_key.get(key) != [sequence]]
    for name, found in (("lost", lost), ("doubled", doubled), ("acknowledged with another number", moved)):
        if found:
            broken.append(f"{len(found)} messages {name}, for example {found[0]}")
    for number, reader in enumerate(readers):
        if reader.seen != stored:
            broken.append(
                f"reader {number} saw {len(reader.seen)} messages, stored are {len(stored)}, or another order"
            )
    return broken


def report(
    senders: list[ChaosClient],
    readers: list[ChaosClient],
    killed: list[str],
    stored: list[tuple[int, str]],
    seconds: float,
) -> None:
    """Print what happened."""
    for name, value in (
        ("messages", len(stored)),
        ("faults", len(killed)),
        ("reconnects", sum(client.connects - 1 for client in [*senders, *readers])),
        ("refused_for_the_moment", sum(sum(client.errors.values()) for client in senders)),
    ):
        figure(bench="chaos", name=name, value=value, unit="count", better="higher")
    figure(bench="chaos", name="duration", value=seconds, unit="s")


def make_channel(running: Stack, owner: Person, admin: Person) -> str:
    """Create the conversation with both people in it."""
    me = running.call(admin, "GET", "/api/v1/me/")
    created = running.call(
        owner, "POST", "/api/v1/conversations/", {"name": f"chaos {time.time_ns()}", "people": [me["id"]]}
    )
    return str(created["id"])


async def head_of(running: Stack, person: Person, conversation: str) -> int:
    """Return the conversation's last number, once the server answers."""
    for _ in range(60):
        with contextlib.suppress(OSError):
            answer = await asyncio.to_thread(
                running.call, person, "GET", f"/api/v1/conversations/{conversation}/"
            )
            return int(answer["last_sequence"])
        await asyncio.sleep(0.5)
    raise RuntimeError("the server did not come back")


async def history(running: Stack, person: Person, conversation: str) -> list[tuple[int, str]]:
    """Return (number, client key) of all stored messages in their order, over the API."""
    found: dict[int, str] = {}
    anchor = "newest"
    while True:
        path = f"/api/v1/conversations/{conversation}/messages/?anchor={anchor}&before=199&after=1"
        page = await asyncio.to_thread(running.call, person, "GET", path)
        for message in page["messages"]:
            found[message["sequence"]] = message["client_key"]
        if page["found_oldest"]:
            return sorted(found.items())
        anchor = page["messages"][0]["id"]


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(prog="./run chaos")
    parser.add_argument("--size", choices=sorted(SIZES), default="quick")
    parser.add_argument("--seed", type=int, default=None, help="Repeat an order of faults.")
    arguments = parser.parse_args()
    end_on_signals()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 30)
    random.seed(seed)
    progress(f"seed {seed}")
    count, rounds = SIZES[arguments.size]
    with stack(CHATSYSTEM_MESSAGES_PER_MINUTE="100000", CHATSYSTEM_MESSAGE_BURST="10000") as running:
        broken = asyncio.run(run(running, count, rounds))
    for line in broken:
        progress(f"BROKEN: {line}")
    progress("nothing lost, nothing doubled, one order" if not broken else f"{len(broken)} promises broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

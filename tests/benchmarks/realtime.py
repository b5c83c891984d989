"""Fan-out of one conversation: our socket (every message committed first) against two others, all loaded the same way.

The others are the broadcast of `websockets` on uvloop, without a database (the limit), and Channels with its Redis layer,
as its tutorial writes it. N readers in one room, one sender at a rate; the best rate is the highest at which p95 stays
below 250 ms and every reader has everything at most 250 ms after the last was sent.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import connections
from tests.benchmarks.figures import figure, middle, progress
from tests.benchmarks.send import seats
from tests.benchmarks.stack import Stack, stack
from tests.benchmarks.targets import Crowd, Room, Round, Target, other, ours, sending

SIZES = {"quick": ((200,), 2.0, 1), "standard": ((50, 200, 1000), 3.0, 1), "full": ((50, 200, 1000), 4.0, 3)}
RATES = (5, 20, 40, 80, 160, 320, 640, 800, 1000, 1250, 1500, 1800, 2200, 2600, 3200, 3800, 4500)
RATIO_GOALS = {50: 1.5, 200: 4.0, 1000: 5.0}
ROOMS, READERS_OF_ONE, ROOMS_GOAL = 100, 10, 1.3
EQUAL_DELIVERIES = 64_000  # a second, at which the cost of one is compared
MOST_OWN_CPU = 0.9


def climb(target: Target, readers: int, seconds: float) -> list[Round]:
    """Raise the rate until it does not hold; the first round warms up."""
    crowd = Crowd(target, readers)
    try:
        crowd.step(2, 1)
        rounds = []
        for rate in RATES:
            rounds.append(crowd.step(rate, seconds))
            if not rounds[-1].holds:
                break
            time.sleep(0.2)
        return rounds
    finally:
        crowd.end()


def at_equal_load(target: Target, readers: int, seconds: float) -> Round:
    """Return what a delivery costs at one rate for all."""
    crowd = Crowd(target, readers)
    try:
        crowd.step(2, 1)
        return crowd.step(EQUAL_DELIVERIES / readers, seconds)
    finally:
        crowd.end()


def best(rounds: list[Round]) -> Round | None:
    """Return the highest round that held."""
    return max((one for one in rounds if one.holds), key=lambda one: one.deliveries, default=None)


def compare(own: Target, bare: Target, naive: Target, readers: int, seconds: float, times: int) -> None:
    """Print the figures of one number of readers; ratios are medians of runs in turn."""
    bench = "realtime"
    ratios, costs, tops = [], [], []
    for _ in range(times):
        mine, theirs = best(climb(own, readers, seconds)), best(climb(bare, readers, seconds))
        if mine and theirs:
            ratios.append(mine.deliveries / theirs.deliveries)
            tops.append(mine)
        if readers >= 200:
            pair = at_equal_load(own, readers, seconds), at_equal_load(bare, readers, seconds)
            costs.append(pair[0].cpu_us / pair[1].cpu_us)
            figure(bench=bench, name=f"cpu_per_delivery_64000_n{readers}", value=pair[0].cpu_us, unit="us")
            figure(
                bench=bench, name=f"bare_cpu_per_delivery_64000_n{readers}", value=pair[1].cpu_us, unit="us"
            )
    slow = best(climb(naive, readers, seconds)) if readers <= 200 else None
    if tops:
        top = max(tops, key=lambda one: one.deliveries)
        figure(
            bench=bench, name=f"best_deliveries_n{readers}", value=top.deliveries, unit="1/s", better="higher"
        )
        figure(
            bench=bench,
            name=f"load_share_of_a_core_n{readers}",
            value=top.own_cpu,
            unit="x",
            goal=MOST_OWN_CPU,
        )
        goal = RATIO_GOALS.get(readers)
        figure(
            bench=bench,
            name=f"ratio_to_bare_n{readers}",
            value=middle(ratios),
            unit="x",
            goal=goal,
            better="higher",
        )
        if top.own_cpu > MOST_OWN_CPU:
            progress("the load itself was the limit: the server can do more than that")
        if slow:
            value = top.deliveries / slow.deliveries
            figure(
                bench=bench,
                name=f"ratio_to_channels_redis_n{readers}",
                value=value,
                unit="x",
                goal=40,
                better="higher",
            )
    if costs:
        figure(
            bench=bench, name=f"cpu_per_delivery_to_bare_n{readers}", value=middle(costs), unit="x", goal=0.6
        )


def in_rooms(running: Stack, bare: Target, seconds: float, times: int) -> None:
    """Print what a hundred rooms of ten get: there a delivery costs less than the message it delivers."""
    places = seats(running, ROOMS)
    path = urlsplit(running.socket_url).path
    own = replace(
        ours(running),
        rooms=tuple(Room(path, sending(seat.own), (f"Authorization: Bearer {seat.key}",)) for seat in places),
    )
    theirs = replace(bare, rooms=tuple(Room(f"/ws/{number}", bare.frame) for number in range(ROOMS)))
    ratios, tops = [], []
    for _ in range(times):
        mine, other_ones = (
            best(climb(own, READERS_OF_ONE, seconds)),
            best(climb(theirs, READERS_OF_ONE, seconds)),
        )
        if mine and other_ones:
            ratios.append(mine.deliveries / other_ones.deliveries)
            tops.append(mine.deliveries)
    if tops:
        name = f"{ROOMS}_rooms_of_{READERS_OF_ONE}"
        figure(bench="realtime", name=f"best_deliveries_{name}", value=max(tops), unit="1/s", better="higher")
        figure(
            bench="realtime", name=f"ratio_to_bare_{name}", value=middle(ratios), unit="x", goal=ROOMS_GOAL,
            better="higher",
        )  # fmt: skip


def as_shipped(running: Stack, seconds: float) -> None:
    """Print what a room of 50 gets, gently and at full load, authenticated and committed."""
    crowd = Crowd(ours(running), 50)
    try:
        crowd.step(20, 1)
        gentle = crowd.step(20, seconds * 2)
        full = crowd.step(1000, seconds)
    finally:
        crowd.end()
    for name, value, goal in (("p50", gentle.p50, None), ("p95", gentle.p95, 60)):
        figure(bench="realtime", name=f"gentle_{name}_50_clients", value=value * 1e3, unit="ms", goal=goal)
    figure(bench="realtime", name="shipped_50_000_deliveries_p95", value=full.p95, unit="s", goal=1)
    figure(
        bench="realtime",
        name="shipped_50_000_deliveries_complete",
        value=full.complete,
        unit="x",
        goal=1,
        better="higher",
    )


def run(size: str) -> None:
    """Print the figures."""
    counts, seconds, times = SIZES[size]
    wide: dict[str, Any] = {
        "CHATSYSTEM_MESSAGES_PER_MINUTE": "10000000", "CHATSYSTEM_MESSAGE_BURST": "1000000",
        "CHATSYSTEM_SOCKETS_PER_PRINCIPAL": "20000", "CHATSYSTEM_REQUESTS_PER_MINUTE": "1000000",
    }  # fmt: skip
    with stack(**wide, CHATSYSTEM_WEB_PROCESSES="4") as running:
        connections.several_processes(running, seconds)
    with stack(**wide) as running:
        redis = running.environment()["REDIS_URL"]
        uvicorn = ("uvicorn", "tests.benchmarks.naive:application", "--port", "PORT", "--lifespan", "off", "--log-level",
                   "warning", "--ws-per-message-deflate", "false")  # fmt: skip
        os.sched_setaffinity(running.pid("web"), {0})
        as_shipped(running, seconds)
        with (
            other("bare", "tests.benchmarks.bare", "PORT") as bare,
            other("channels", *uvicorn, REDIS_URL=redis) as naive,
        ):
            for readers in counts:
                compare(ours(running), bare, naive, readers, seconds, times)
            in_rooms(running, bare, seconds, times)
            connections.run(running, bare, size)

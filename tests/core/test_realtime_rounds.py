"""What everybody does again: once in a round each, spread over it, for as long as anybody is there."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from functools import partial

from apps.core.realtime.rounds import Rounds

name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")


async def test_each_is_called_once_in_a_round_and_a_crowd_is_spread_over_its_turns() -> None:
    rounds, calls, whole = Rounds(0.05, turns=5), Counter[int](), asyncio.Event()
    steps: list[set[int]] = []
    loop = asyncio.get_running_loop()

    def called(who: int) -> None:
        if not calls[who] and (not steps or len(steps[-1]) == 4):
            steps.append(set())
        if not calls[who]:
            steps[-1].add(who)
        calls[who] += 1
        if min(calls[one] for one in range(20)) == 2:
            loop.call_soon(whole.set)

    for who in range(20):
        rounds.join(partial(called, who))
    await asyncio.wait_for(whole.wait(), 10)
    assert set(calls.values()) <= {2, 3}
    assert [len(step) for step in steps] == [4] * 5
    assert set().union(*steps) == set(range(20))


async def test_who_left_is_not_called_and_the_timer_ends_with_the_last() -> None:
    rounds, heard = Rounds(0.02, turns=2), asyncio.Event()
    left: list[str] = []
    gone = partial(left.append, "gone")
    rounds.leave(gone)  # never joined
    rounds.join(gone)
    rounds.join(heard.set)
    rounds.leave(gone)
    await asyncio.wait_for(heard.wait(), 10)
    assert left == []
    task = rounds._task
    assert task is not None
    rounds.leave(heard.set)
    await asyncio.wait_for(task, 10)
    assert rounds._task is None
    heard.clear()
    rounds.join(heard.set)
    await asyncio.wait_for(heard.wait(), 10)
    rounds.leave(heard.set)


async def test_calls_know_nothing_of_who_came_first() -> None:
    rounds, told = Rounds(0.02, turns=2), asyncio.get_running_loop().create_future()
    token = name.set("Ada")
    rounds.join(lambda: told.done() or told.set_result(name.get()))
    name.reset(token)
    assert await asyncio.wait_for(told, 10) == "nobody"

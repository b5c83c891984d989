"""One step for all who ask at the same time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence

import pytest

from apps.core import tenancy
from apps.core.gathering import Gathering

MARK: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="none")


class Steps:
    """Work whose steps wait until they are let go, and that remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None
        self.context = ("", False)

    async def __call__(self, asked: Sequence[int]) -> list[int]:
        """Double each."""
        self.given.append(list(asked))
        self.context = (MARK.get(), tenancy.is_set())
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [2 * number for number in asked]


async def test_who_asks_in_one_turn_is_in_one_step_and_the_next_ones_gather_meanwhile() -> None:
    work = Steps()
    gathering: Gathering[int, int] = Gathering(work)
    first = [asyncio.create_task(gathering.ask(number)) for number in range(3)]
    while not work.given:
        await asyncio.sleep(0)
    later = [asyncio.create_task(gathering.ask(number)) for number in range(3, 8)]
    await asyncio.sleep(0)
    assert work.given == [[0, 1, 2]]
    work.gate.set()
    assert await asyncio.gather(*first, *later) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert work.given == [[0, 1, 2], [3, 4, 5, 6, 7]]
    assert await gathering.ask(9) == 18


async def test_a_step_takes_no_more_than_it_may() -> None:
    work = Steps()
    work.gate.set()
    gathering: Gathering[int, int] = Gathering(work, most=2)
    assert await asyncio.gather(*map(gathering.ask, range(5))) == [0, 2, 4, 6, 8]
    assert work.given == [[0, 1], [2, 3], [4]]


async def test_an_error_is_everybodys_of_the_step_and_nobodys_after_it() -> None:
    work = Steps()
    work.gate.set()
    work.error = RuntimeError("away")
    gathering: Gathering[int, int] = Gathering(work, most=2)
    answers = await asyncio.gather(*map(gathering.ask, range(2)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away", "away"]
    work.error = None
    assert await gathering.ask(1) == 2


async def test_who_leaves_takes_nobody_along_and_is_not_asked_about() -> None:
    work = Steps()
    gathering: Gathering[int, int] = Gathering(work)
    first = asyncio.create_task(gathering.ask(0))
    while not work.given:
        await asyncio.sleep(0)
    gone, stays = asyncio.create_task(gathering.ask(1)), asyncio.create_task(gathering.ask(2))
    await asyncio.sleep(0)
    first.cancel()
    gone.cancel()
    work.gate.set()
    assert await stays == 4
    assert work.given == [[0], [2]]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_step_knows_nothing_of_who_asked_first() -> None:
    """It answers several organizations: the first one's context is nobody else's."""
    work = Steps()
    work.gate.set()
    MARK.set("mine")
    with tenancy.use("00000000-0000-0000-0000-000000000001"):  # type: ignore[arg-type]
        await Gathering(work).ask(1)
    assert work.context == ("none", False)

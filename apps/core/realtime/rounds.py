"""What everybody does again and again, done together by those whose turn it is."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

Call = Callable[[], None]
TURNS = 30  # of a round


class Rounds:
    """Calls each who joined once in a round: one timer for all, which runs while anybody is there.

    Those who join are spread over the turns of a round, however many come at once; all of one turn are called in one
    step of the loop, so that what they ask for can be asked for together.

    Args:
        seconds: of a round.
    """

    def __init__(self, seconds: float, *, turns: int = TURNS) -> None:
        self._pause = seconds / turns
        self._turns: list[set[Call]] = [set() for _ in range(turns)]
        self._task: asyncio.Task[None] | None = None

    def join(self, call: Call) -> None:
        """Call this once in each round, outside every context."""
        turn = min(self._turns, key=len)
        turn.add(call)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    def leave(self, call: Call) -> None:
        """Do not call it any more; who has not joined may leave too."""
        for turn in self._turns:
            turn.discard(call)

    async def _run(self) -> None:
        try:
            while any(self._turns):
                for turn in self._turns:
                    await asyncio.sleep(self._pause)
                    for call in tuple(turn):
                        call()
        finally:
            self._task = None

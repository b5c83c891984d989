"""Do together what many ask for at the same time: one step for all of them, while the next ones gather.

Who is alone waits for nothing: its step begins once everybody who runs in this turn of the loop has asked. Steps follow
one another, so a crowd makes them larger, not more. For questions whose answers do not depend on each other; what has
an order of its own is the batcher's.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MOST = 64


class Gathering(Generic[Asked, Answer]):
    """The askers of one event loop.

    Args:
        work: answers all that it is given, in their order. It runs outside every organization and request.
        most: asked of it at once.
    """

    def __init__(
        self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *, most: int = MOST
    ) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer.

        Raises:
            Exception: whatever the step raised, to each who was in it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((asked, future))
        if self._task is None:
            self._task = loop.create_task(self._run(), context=contextvars.Context())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._answer([one for one in group if not one[1].done()])
        finally:
            self._task = None
            for _, future in self._waiting:  # only where the loop ends
                future.cancel()

    async def _answer(self, group: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([asked for asked, _ in group])
        except Exception as error:  # noqa: BLE001 - each asker raises it
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        except BaseException:
            for _, future in group:
                future.cancel()
            raise
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)

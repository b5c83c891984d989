"""The runs one socket follows: what is stored of a stream first, then what comes, in the order of its ids."""

from __future__ import annotations

from uuid import UUID

import orjson

from apps.accounts.types import Principal
from apps.chat.errors import TooManySubscriptions
from apps.core.realtime.hub import Hub
from apps.core.realtime.sockets import HeldSocket, Socket, text_frame
from apps.core.threads import in_thread
from apps.runs.selectors import frames

MOST_FOLLOWED = 500


class Streams:
    """Joins before it reads, so nothing falls in between; what comes meanwhile is held back until it is its turn.

    A reader that heard a later frame first would take the earlier ones for doubles.
    """

    def __init__(self, hub: Hub, socket: Socket) -> None:
        self._hub, self._socket = hub, socket
        self._followed: dict[UUID, Socket] = {}

    async def follow(self, principal: Principal, run: UUID, *, after: int, ref: str) -> None:
        """Say that the rest comes now, then send the stored frames after an id and every new one; some may come twice.

        Raises:
            RunNotFound: missing, or not visible.
            TooManySubscriptions: the socket follows as many as it may.
        """
        if len(self._followed) >= MOST_FOLLOWED and run not in self._followed:
            raise TooManySubscriptions(most=MOST_FOLLOWED)
        channel = frames.channel(run)
        held = HeldSocket()
        self._followed[run], earlier = held, self._followed.get(run)
        try:
            if earlier is not None:
                self._hub.hand_over(channel, earlier, held)
            await in_thread(frames.require_visible, principal, run)
            await self._hub.join([channel], held)
            stored = await in_thread(frames.after, run_id=run, after=after)
        except BaseException:
            if self._followed.get(run) is held:
                self._followed.pop(run)
            self._hub.leave([channel], held)
            raise
        if self._followed.get(run) is not held:  # left meanwhile, or asked for again
            self._hub.leave([channel], held)
            return
        self._followed[run] = self._socket
        self._hub.hand_over(channel, held, self._socket)
        begins = orjson.dumps({"frame": "following", "ref": ref, "run": run, "after": after})
        due = [begins, *stored, *held.frames]
        if not self._socket.push(b"".join(map(text_frame, due)) if self._socket.framed else due):
            self._socket.drop()

    def unfollow(self, run: UUID) -> None:
        """Stop the frames of a run."""
        if (socket := self._followed.pop(run, None)) is not None:
            self._hub.leave([frames.channel(run)], socket)

    async def look_again(self, principal: Principal) -> None:
        """End the streams the principal may not follow any more."""
        for run in tuple(self._followed):
            if not await in_thread(frames.is_visible, principal, run):
                self.unfollow(run)

    def end(self) -> None:
        """Follow nothing any more."""
        for run in tuple(self._followed):
            self.unfollow(run)

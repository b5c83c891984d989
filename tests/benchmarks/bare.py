"""The limit of fan-out in Python: the broadcast of `websockets` on uvloop. `python -m tests.benchmarks.bare PORT`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import defaultdict

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int) -> None:
    """Serve a room at each address for good: what a client sends goes to all in its room."""
    logging.disable()  # the crowd leaves without a word
    rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        room = rooms[socket.request.path]
        room.add(socket)
        try:
            async for message in socket:
                broadcast(room, message)
        finally:
            room.discard(socket)

    async with serve(handle, "127.0.0.1", port, compression=None, backlog=1024, ping_interval=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))

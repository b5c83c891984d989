"""The limit of fan-out in Python: the broadcast of `websockets` on uvloop. `python -m tests.benchmarks.bare PORT`."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int) -> None:
    """Serve one room for good: what a client sends goes to all."""
    logging.disable()  # the crowd leaves without a word
    room: set[ServerConnection] = set()

    async def handle(socket: ServerConnection) -> None:
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

"""`python -m chatsystem.web`: the web process. Pages, REST and sockets on one port and one event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import uvicorn
import uvloop

from apps.core.conf.loading import InvalidSettings, load
from apps.core.database.pulse import pulse
from apps.core.http.protocol import BoundedHttpProtocol
from apps.core.realtime.protocol import HubProtocol

LONGEST_FRAME_BYTES = 64 * 1024
SECONDS_TO_STOP = 3
# For work of the event loop that has to wait in a thread; sync views have their own (`apps.core.http.handler`).
LOOP_THREADS = 16


def main() -> None:
    """Serve until a stop signal; running requests have three seconds to end."""
    os.environ.setdefault("CHATSYSTEM_PROCESS", "web")
    try:
        listening = _listen()
        config = _config()
        config.load()
        _settle_memory()
    except (InvalidSettings, OSError) as error:
        sys.exit(str(error))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            number, lambda _number, _frame: None
        )  # the server raises its stop signal once more at its end
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, listening))
        logging.shutdown()
        os._exit(0)  # a view that hangs in its thread must not hold the stop


def _settle_memory() -> None:
    """Take what was loaded out of the garbage collector's sight, and let it look less often.

    One full look at 190,000 objects of code and settings takes 0.17 s and stops every request; after this, 1 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _serve(config: uvicorn.Config, listening: socket.socket) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOP_THREADS, "loop"))
    pulse.start()
    await uvicorn.Server(config).serve(sockets=[listening])


def _config() -> uvicorn.Config:
    return uvicorn.Config(
        "chatsystem.asgi:application",
        http=BoundedHttpProtocol,
        ws=HubProtocol,
        ws_max_size=LONGEST_FRAME_BYTES,
        ws_per_message_deflate=False,  # compression keeps memory per socket
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `apps.core.http.addresses` counts the declared proxies
        timeout_keep_alive=75,  # longer than the usual proxy in front
        timeout_graceful_shutdown=SECONDS_TO_STOP,
    )


def _listen() -> socket.socket:
    """Return the socket the supervisor opened, or an own one."""
    descriptor = os.environ.get("CHATSYSTEM_LISTEN_FD")
    if descriptor:
        return socket.socket(fileno=int(descriptor))
    server = load().server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_STREAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((server.host, server.port))
    except OSError as error:
        raise OSError(f"cannot listen on {server.host}:{server.port}: {error.strerror}") from error
    own.listen(2048)
    return own


if __name__ == "__main__":
    main()

"""`python -m chatsystem.web`: one web process. Several share a listening socket handed down by the supervisor."""

from __future__ import annotations

import os
import socket

import uvicorn

from apps.core.realtime.protocol import HubProtocol

LARGEST_FRAME_BYTES = 64 * 1024
STOP_SECONDS = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        "chatsystem.asgi:application",
        host=os.environ.get("CHATSYSTEM_HOST", "127.0.0.1"),
        port=int(os.environ.get("CHATSYSTEM_PORT", "8000")),
        loop="uvloop",
        http="httptools",
        ws=HubProtocol,
        ws_max_size=LARGEST_FRAME_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        proxy_headers=False,  # the application reads forwarded addresses itself, by the number of trusted proxies
    )
    descriptor = os.environ.get("CHATSYSTEM_LISTEN_FD")
    inherited = [socket.socket(fileno=int(descriptor))] if descriptor else None
    uvicorn.Server(config).run(sockets=inherited)


if __name__ == "__main__":
    main()

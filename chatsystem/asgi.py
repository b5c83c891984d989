"""The ASGI application: pages and REST through Django, sockets through Channels, liveness through neither."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.embedded")
django.setup(set_prefix=False)

from apps.chat.consumers import ClientConsumer  # noqa: E402 - apps must be loaded first
from apps.core.http import headers  # noqa: E402
from apps.core.http.handler import Handler  # noqa: E402
from apps.core.http.refusing import Receive, Send  # noqa: E402
from apps.ops import liveness  # noqa: E402

SOCKET_ADDRESS = "/ws/v1/"


async def no_such_socket(receive: Receive, send: Send) -> None:
    """Refuse the handshake of an address that has no socket."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


def _doors(scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
    """Choose without a coroutine of its own: each would stay with every open socket."""
    if scope["type"] != "websocket":
        return http(scope, receive, send)
    if scope["path"].removeprefix(scope.get("root_path", "")) == SOCKET_ADDRESS:
        return ClientConsumer()(scope, receive, send)
    return no_such_socket(receive, send)


http = Handler()
_complete = headers.completed(liveness.before(_doors))


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer a request, or serve a socket until it ends."""
    await _complete(scope, receive, send)

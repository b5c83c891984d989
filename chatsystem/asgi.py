"""The ASGI application: pages and REST through Django, sockets through Channels, liveness through neither."""

from __future__ import annotations

import os
from typing import Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.embedded")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - apps must be loaded first
from django.urls import path, re_path  # noqa: E402

from apps.chat.consumers import ClientConsumer  # noqa: E402
from apps.core.http import headers  # noqa: E402
from apps.core.http.handler import Handler  # noqa: E402
from apps.core.http.refusing import Receive, Send  # noqa: E402
from apps.ops import liveness  # noqa: E402


async def no_such_socket(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Refuse the handshake of an address that has no socket."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


http = Handler()
application = headers.completed(
    liveness.before(
        ProtocolTypeRouter(
            {
                "http": http,
                "websocket": URLRouter(
                    [path("ws/v1/", ClientConsumer.as_asgi()), re_path(r"", cast("Any", no_such_socket))]
                ),
            }
        )
    )
)

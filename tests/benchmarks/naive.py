"""The comparison: Channels with its Redis channel layer, written as its tutorial does. `uvicorn tests.benchmarks.naive:application`."""

import json
import os
import secrets
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(50),
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {
                "hosts": [{"address": os.environ["REDIS_URL"], "max_connections": 4000}],
                "prefix": "naive",
                "capacity": 100_000,
            },
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402


class Room(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels ships no types
    """One room: what a client sends goes to the group."""

    async def connect(self) -> None:
        """Join."""
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave."""
        await self.channel_layer.group_discard("room", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Hand to the group."""
        data = json.loads(text_data or "{}")
        await self.channel_layer.group_send("room", {"type": "chat.message", "message": data})

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Send to this client."""
        await self.send(text_data=json.dumps(event["message"]))


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", Room.as_asgi())])})

"""uvicorn's WebSocket protocol, offering its transport so that a prebuilt frame is one write."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

UNSENT_LIMIT_BYTES = 1 << 20


class HubProtocol(WebSocketsSansIOProtocol):
    """Adds `extensions.hub` to the scope; everything else is uvicorn's."""

    def handle_connect(self, event: Any) -> None:
        """Offer this protocol to the application."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"]["hub"] = {"protocol": self}

    async def send(self, message: Any) -> None:
        """Remember that a refused handshake was answered; uvicorn 0.54 logs an error otherwise."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    @property
    def is_open(self) -> bool:
        """Frames may be written: after the accept, before any close."""
        return self.handshake_complete and not self.close_sent and not self.disconnected

    def write_frames(self, framed: bytes) -> bool:
        """Write prebuilt frames; False when the client reads too slowly and has to go."""
        transport = self.transport
        if not self.is_open or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            return False
        transport.write(framed)
        return True

    def abort(self) -> None:
        """Drop the connection and what is unsent; the client resumes from its sequences."""
        self.transport.abort()

"""The entrance at `/ws/v1/`: who opens a socket, whether there is a place, and how a refusal is told."""

from __future__ import annotations

import asyncio
import contextvars
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from channels.consumer import AsyncConsumer
from django.conf import settings

from apps.accounts.services import following, handshake
from apps.accounts.types import Principal
from apps.chat.services.arriving import Entry, get_arrivals
from apps.core import origin, tenancy
from apps.core.api.throttling import buckets_of
from apps.core.errors import DomainError
from apps.core.http import request_limits
from apps.core.http.refusing import Receive, Send
from apps.core.ids import uuid7
from apps.core.realtime.hub import sockets_open
from apps.core.services import places
from apps.core.services.places import Place
from apps.core.threads import in_thread

_open: dict[UUID, int] = {}


class Entrance(AsyncConsumer, ABC):  # type: ignore[misc]  # Channels ships no types
    """One client until it is in. Overrides the loop of Channels: no channel layer, no thread hop for each frame (2x).

    Attributes:
        principal: who it is, bound to one organization.
        heads: the last sequences of its conversations when it came.
        is_remembered: it is known from this process's memory, and was not looked up.
        language: of refusals on this socket.
        context: what runs beside its frames runs in this.
    """

    principal: Principal
    context: contextvars.Context
    is_remembered: bool
    language: str

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handshake, then whatever the client does."""
        self.scope, self.base_send = scope, send
        await receive()  # websocket.connect
        with origin.use(address=handshake.read(scope).address) as opened:
            try:
                if await self._enter():
                    await self._stay_open(receive)
            finally:
                if opened.owed:
                    await asyncio.shield(in_thread(origin.settle, opened))

    async def _enter(self) -> bool:
        """Find out who it is and take a place; False when it was refused."""
        opening = handshake.read(self.scope)
        self.connection = uuid7().hex
        self.heads: dict[UUID, int] = {}
        try:
            request_limits.require_patience(opening.address)
            await following.start()
            kept = handshake.find_kept(opening)
            self.principal = kept if kept is not None else await in_thread(handshake.principal_of, opening)
            self.heads = await self._take_place()
        except DomainError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                await request_limits.note_failure(opening.address)
            await self._refuse(error)
            return False
        self.is_remembered = kept is not None
        self.language = handshake.language_of(opening)
        return True

    async def _take_place(self) -> dict[UUID, int]:
        """Count the request, take a place, and return the heads.

        Raises:
            TooManyRequests.
        """
        most = settings.CONFIGURATION.security.sockets_per_principal
        self.place = Place("sockets", str(self.principal.id), self.connection, most)
        has_room = _open.get(self.principal.id, 0) < most
        entry = Entry(self.principal, buckets_of(self.principal), self.place, has_room)
        found = await get_arrivals().enter.ask(entry)
        if isinstance(found, DomainError):
            raise found
        return found

    async def _stay_open(self, receive: Receive) -> None:
        """Serve who has a place, and give it back."""
        origin.note_session(self.principal.session)
        _open[self.principal.id] = _open.get(self.principal.id, 0) + 1
        sockets_open.inc()
        try:
            with tenancy.use(self.principal.organization_id):
                self.context = contextvars.copy_context()
                await self.base_send({"type": "websocket.accept"})
                await self.serve(receive)
        finally:
            sockets_open.dec()
            left = _open.pop(self.principal.id) - 1
            if left:
                _open[self.principal.id] = left
            await asyncio.shield(in_thread(places.leave, self.place))

    async def _refuse(self, error: DomainError) -> None:
        """Answer the handshake with the error's status where the server can, else close."""
        if "websocket.http.response" in self.scope.get("extensions", {}):
            body = orjson.dumps(
                {"type": "about:blank", "title": error.code, "status": error.status, "code": error.code,
                 "detail": error.detail, "errors": []}
            )  # fmt: skip
            await self.base_send(
                {"type": "websocket.http.response.start", "status": error.status,
                 "headers": [
                     (b"content-type", b"application/problem+json"), (b"cache-control", b"private, no-store"),
                     *((b"retry-after", b"%d" % seconds) for seconds in [error.retry_after_seconds] if seconds),
                 ]}
            )  # fmt: skip
            await self.base_send({"type": "websocket.http.response.body", "body": body})
        else:
            await self.base_send({"type": "websocket.close", "code": 4000 + error.status % 1000})

    @abstractmethod
    async def serve(self, receive: Receive) -> None:
        """Serve the client until it or a revocation ends it."""

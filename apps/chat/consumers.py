"""The socket at `/ws/v1/`: one per client, bound to one organization at the handshake. Parse, hand over, answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.utils import translation
from prometheus_client import Counter
from structlog.contextvars import bound_contextvars

from apps.accounts.selectors import people
from apps.accounts.services import access, handshake
from apps.chat import frames
from apps.chat.entrance import Entrance
from apps.chat.selectors.resuming import Missing
from apps.chat.services import composing, presence, reading
from apps.chat.services.arriving import get_arrivals
from apps.chat.services.batcher import get_batcher
from apps.chat.services.pacing import pace_of_frames
from apps.chat.services.presence import Connection
from apps.chat.services.staying import RECHECK_SECONDS, Kept, get_stays
from apps.chat.services.streams import Streams
from apps.chat.services.watching import Watch
from apps.chat.types import Draft, Shown
from apps.core import origin
from apps.core.errors import DomainError
from apps.core.events.frames import conversation_channel, principal_channel
from apps.core.http.refusing import Message, Receive
from apps.core.realtime.hub import Hub, get_hub
from apps.core.realtime.sockets import AsgiSocket, DeafSocket, Socket, TransportSocket, text_frame
from apps.core.services import limits
from apps.core.threads import in_thread

CLOSE_REVOKED, CLOSE_TOO_MANY, CLOSE_SLOW, CLOSE_BAD_CLIENT, CLOSE_FLOOD = 4401, 4429, 4408, 4400, 1008
BAD_FRAMES_ALLOWED = 20
TYPING_SECONDS = 2.0
ACTING_SECONDS = 20.0  # how often a sign of the person is noted
MOST_AT_WORK = 256  # frames of one socket that are being answered; the next is read once one of them is done
_WATCHED_EVENTS = (
    b'"access.revoked"', b'"access.changed"', b'"conversation.added"', b'"conversation.removed"', b'"seat.removed"',
    b'"status.changed"',
)  # fmt: skip
logger = logging.getLogger(__name__)
resumed = Counter("chatsystem_streams_resumed_total", "Streams a client was told the rest of", ["source"])
flooded = Counter("chatsystem_sockets_flooded_total", "Sockets closed because they sent too many frames")


class ClientConsumer(Entrance):
    """One client that was let in."""

    hub: Hub
    socket: Socket

    async def serve(self, receive: Receive) -> None:
        """Greet, then take frame by frame until the client or a revocation ends it."""
        self.loop = asyncio.get_running_loop()
        self.hub = await get_hub()
        self.batcher = await get_batcher()
        offered = self.scope.get("extensions", {}).get("hub")
        self.socket = (
            TransportSocket(offered["protocol"]) if offered else AsgiSocket(self.base_send, self._close_soon)
        )
        self.channels: dict[UUID, str] = {}
        self.own = principal_channel(self.principal.member_id)
        # A key bound to some conversations does not read the notices of all of them; their revocations still count.
        self.own_socket: Socket = self.socket if self.principal.conversations is None else DeafSocket()
        self.watch = Watch(self.hub, self._push)
        self.shown, self.acted_at = Shown(), float("-inf")
        self.streams = Streams(self.hub, self.socket)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.typed: dict[UUID, float] = {}
        self.bad_frames, self.is_closing = 0, False
        self.purse = limits.Purse(
            [limits.messages_of(self.principal.id), limits.messages_in(self.principal.organization_id)]
        )
        self.pace = pace_of_frames()
        self.is_due, rounds = False, get_stays().rounds
        try:
            await self._welcome()
            rounds.join(self._on_turn)
            while not self.is_closing and (message := await receive())["type"] == "websocket.receive":
                await self._take(message)
        finally:
            rounds.leave(self._on_turn)
            for task in self.tasks:
                task.cancel()
            self.hub.leave([self.own], self.own_socket, self._on_notice)
            self.watch.end()
            self.streams.end()
            self.hub.leave(self.channels.values(), self.socket)
            await asyncio.shield(self.purse.empty())
            if isinstance(self.socket, AsgiSocket):
                self.socket.drop()
            await in_thread(
                presence.leave,
                organization_id=self.principal.organization_id,
                principal_id=self.principal.id,
                connection=self.connection,
            )

    async def _welcome(self) -> None:
        """Subscribe first, then read the heads: what is committed in between arrives twice, never not at all."""
        await self.hub.join([self.own], self.own_socket, self._on_notice)
        wanted, self.heads = self.heads, {}
        if self.is_remembered and handshake.find_kept(handshake.read(self.scope)) is None:
            # Something changed before revocations were heard here.
            looked = await self._look_again()
            if looked is None:
                return
            wanted = looked
        self.scope["headers"] = []  # a browser's cookies are a kilobyte
        arrivals = get_arrivals()
        while True:
            await self._follow_heads(wanted)
            standing = await arrivals.look.ask(self.principal)
            if standing.heads.keys() == wanted.keys():
                break
            wanted = standing.heads  # moved in or out meanwhile
        self.shown = standing.shown
        self.reply(
            {"frame": "hello", "connection": self.connection, "principal": self.principal.id,
             "member": self.principal.member_id, "organization": self.principal.organization_id,
             "sequence": standing.sequence,
             "conversations": {str(pk): head for pk, head in standing.heads.items()},
             "heartbeat_seconds": RECHECK_SECONDS}
        )  # fmt: skip
        self.acted_at = time.monotonic()
        await arrivals.appear.ask(self._open_connection())

    async def _follow_heads(self, heads: dict[UUID, int]) -> None:
        """Make the subscriptions equal to the memberships."""
        self.hub.leave([self.channels.pop(pk) for pk in self.channels.keys() - heads.keys()], self.socket)
        new = {pk: conversation_channel(pk) for pk in heads.keys() - self.channels.keys()}
        try:
            await self.hub.join(new.values(), self.socket)
        except asyncio.CancelledError:  # the client left meanwhile
            self.hub.leave(new.values(), self.socket)
            raise
        self.channels |= new

    async def _take(self, message: Message) -> None:
        if self.pace.is_exceeded():
            flooded.inc()
            await self._close(CLOSE_FLOOD)
            return
        while len(self.tasks) >= MOST_AT_WORK:
            await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        text = message.get("text")
        try:
            parsed = frames.parse(text if text is not None else message["bytes"])
        except frames.FrameInvalid as error:
            self.bad_frames += 1
            self.refuse(error.fields.get("ref", ""), error)
            if self.bad_frames > BAD_FRAMES_ALLOWED:
                await self._close(CLOSE_BAD_CLIENT)
            return
        handler = getattr(self, f"on_{parsed.name}")
        if parsed.name in ("resume", "read", "follow", "watch"):
            self._spawn(self._guard(handler, parsed.frame))
        else:
            await self._guard(handler, parsed.frame)

    async def _guard(self, handler: Callable[[Any], Awaitable[None]], frame: Any) -> None:
        """Answer a refusal with an error frame; anything else ends the connection, which then resumes."""
        try:
            with bound_contextvars(request_id=self.connection):
                await handler(frame)
        except DomainError as error:
            self.refuse(frame.ref, error)
        opened = origin.find_current()
        if opened is not None and opened.owed:
            await in_thread(origin.settle, opened)

    def reply(self, frame: dict[str, Any]) -> None:
        """Send one frame to this client."""
        self._push(orjson.dumps(frame))

    def _push(self, payload: bytes) -> None:
        if not self.socket.push(text_frame(payload) if self.socket.framed else [payload]):
            self.socket.drop()

    def refuse(self, ref: str, error: DomainError) -> None:
        """Send the error frame of a refusal, in the handshake's language."""
        with translation.override(self.language):
            detail = error.detail if error.code != frames.FrameInvalid.code else str(error.message)
        answer: dict[str, Any] = {"frame": "error", "ref": ref, "code": error.code, "detail": detail}
        if error.retry_after_seconds:
            answer["retry_after_seconds"] = error.retry_after_seconds
        self.reply(answer)

    async def on_send(self, frame: frames.SendFrame) -> None:
        """Compose in the order of the frames, then join the next group commit while the next frame is read."""
        await self.purse.spend()
        self._note_act()
        access.require(self.principal, "message.send")
        draft = await self._compose(frame)
        self._spawn(self._guard(partial(self._submit, draft), frame))

    async def _submit(self, draft: Draft, frame: frames.SendFrame) -> None:
        """Answer after the commit: the ack means committed."""
        sent = await self.batcher.submit(draft)
        self.reply(
            {"frame": "ack", "ref": frame.ref, "conversation": sent.conversation_id, "message": sent.id,
             "sequence": sent.sequence, "client_key": frame.client_key, "repeated": sent.repeated}
        )  # fmt: skip

    async def _compose(self, frame: frames.SendFrame) -> Draft:
        compose = partial(
            composing.compose,
            principal=self.principal,
            conversation_id=frame.conversation,
            body=frame.body,
            client_key=frame.client_key,
            thread=frame.thread,
            topic=frame.topic,
            attachments=frame.attachments,
            priority=frame.priority,
            confirm_mass_mention=frame.confirm_mass_mention,
        )
        return await in_thread(compose) if composing.needs_look_up(frame.body) else compose()

    async def on_resume(self, frame: frames.ResumeFrame) -> None:
        """Send what was missed, in order; a client too far behind is told to load the page again."""
        mine = {pk: after for pk, after in frame.conversations.items() if pk in self.channels}
        kept = {pk: self.hub.missed(self.channels[pk], after) for pk, after in mine.items()}
        found: dict[UUID, Sequence[bytes]] = {
            pk: payloads for pk, payloads in kept.items() if payloads is not None
        }
        asked = {pk: after for pk, after in mine.items() if pk not in found}
        if frame.notices is not None and self.principal.conversations is None:
            asked[self.principal.member_id] = frame.notices
        resumed.labels("memory").inc(len(found))
        resumed.labels("database").inc(len(asked))
        too_far: Sequence[UUID] = ()
        if asked:
            read = await get_arrivals().resume.ask(Missing(self.principal.organization_id, asked))
            found |= read.payloads
            too_far = read.too_far
        for payloads in found.values():
            framed = b"".join(map(text_frame, payloads)) if self.socket.framed else payloads
            if payloads and not self.socket.push(framed):
                self.socket.drop()
                return
        for stream in [*too_far, *(pk for pk in frame.conversations if pk not in mine)]:
            is_own = stream == self.principal.member_id
            self.reply({"frame": "resync", "conversation": None if is_own else stream})
        self.reply({"frame": "resumed", "ref": frame.ref})

    async def on_read(self, frame: frames.ReadFrame) -> None:
        """Move the read marker and answer where it is; all devices hear of a move as a notice."""
        self._note_act()
        marker = await in_thread(
            reading.move_marker,
            principal=self.principal,
            conversation_id=frame.conversation,
            sequence=frame.sequence,
            place=frame.place,
        )
        self.reply(
            {
                "frame": "marked",
                "ref": frame.ref,
                "conversation": frame.conversation,
                "last_read_sequence": marker,
            }
        )

    async def on_typing(self, frame: frames.TypingFrame) -> None:
        """Tell the others, at most every two seconds, where person and organization show it."""
        self._note_act()
        now, channel = time.monotonic(), self.channels.get(frame.conversation)
        if (
            channel is None
            or not self.shown.shows_typing
            or now - self.typed.get(frame.conversation, 0.0) < TYPING_SECONDS
        ):
            return
        self.typed[frame.conversation] = now
        data = {"principal": self.principal.id, "name": self.principal.name, "thread": frame.thread}
        self.hub.publish_ephemeral(
            channel,
            orjson.dumps(
                {"frame": "ephemeral", "conversation": frame.conversation, "type": "typing", "data": data}
            ),
        )

    async def on_watch(self, frame: frames.WatchFrame) -> None:
        """Presence and words of visible people on screen, now and as they change."""
        visible = await in_thread(people.visible_people, principal=self.principal, ids=frame.people)
        organization = self.principal.organization_id
        await self.watch.follow(organization, set(visible))
        states, words = await in_thread(
            partial(presence.states, organization_id=organization, people=visible)
        )
        self._push(presence.frame(states))
        if words:
            self._push(presence.words_frame(words))

    async def on_follow(self, frame: frames.FollowFrame) -> None:
        """Stream frames of a visible run: first what is stored after the id, then live; doubles have equal ids."""
        await self.streams.follow(self.principal, frame.run, after=frame.after, ref=frame.ref)

    async def on_unfollow(self, frame: frames.UnfollowFrame) -> None:
        """Stop the stream frames of a run."""
        self.streams.unfollow(frame.run)

    async def on_ping(self, frame: frames.PingFrame) -> None:
        """Answer; the person may be at the screen."""
        if frame.active:
            self._note_act()
        self.reply({"frame": "pong", "ref": frame.ref})

    def _on_notice(self, payload: bytes) -> None:
        """The own stream told something that changes rights or subscriptions: look at the rows again.

        A conversation that was taken away is left before anything else happens.
        """
        if b'"conversation.removed"' in payload:
            gone = UUID(orjson.loads(payload)["data"]["conversation"])
            self.hub.leave([conversation_channel(gone)], self.socket)
            self.channels.pop(gone, None)
        if any(name in payload for name in _WATCHED_EVENTS):
            self._spawn(self._look_again())

    def _on_turn(self) -> None:
        """Twice a minute, even if Redis is silent."""
        if not self.is_due and not self.is_closing:
            self.is_due = True
            self._spawn(self._stay())

    async def _stay(self) -> None:
        """Look at the rights, and keep presence and place, which end by themselves."""
        try:
            if await self._look_again() is not None:
                await get_stays().keep.ask(Kept(self._open_connection(), self.place))
        finally:
            self.is_due = False

    async def _look_again(self) -> dict[UUID, int] | None:
        """Load the rights and memberships; end what is no longer allowed. Returns the heads, or None at the end."""
        found = await get_stays().look.ask(self.principal)
        if found is None:
            await self._close(CLOSE_REVOKED)
            return None
        self.principal, self.shown = found.principal, found.shown
        await self._follow_heads(found.heads)
        await self.streams.look_again(found.principal)
        return found.heads

    def _open_connection(self) -> Connection:
        return Connection(self.principal.organization_id, self.principal.id, self.connection, self.shown)

    def _note_act(self) -> None:
        """Note that the person did something, so that nothing is sent to where it is not."""
        now = time.monotonic()
        if now - self.acted_at >= ACTING_SECONDS:
            self.acted_at = now
            self._spawn(
                in_thread(
                    partial(
                        presence.act,
                        organization_id=self.principal.organization_id,
                        principal_id=self.principal.id,
                        shown=self.shown,
                    )
                )
            )

    def _spawn(self, work: Any) -> None:
        """Run beside the frames, in the socket's own context: a notice comes in that of whoever opened the hub."""
        task = self.loop.create_task(work, context=self.context)
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("socket.failed", exc_info=error, extra={"connection": self.connection})
            self.socket.drop()

    def _close_soon(self) -> None:
        self._spawn(self._close(CLOSE_SLOW))

    async def _close(self, code: int) -> None:
        """Stop delivering at once, then close."""
        if self.is_closing:
            return
        self.is_closing = True
        self.hub.leave([self.own], self.own_socket, self._on_notice)
        self.watch.end()
        self.streams.end()
        self.hub.leave(self.channels.values(), self.socket)
        await self.base_send({"type": "websocket.close", "code": code})

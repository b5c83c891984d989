"""Messages of one conversation of an export, stored as history: at their times, by their authors.

The client key of a message is its place and its `ts`, so what is there already is found again: after a kill, and when a
later export of the same workspace brings what is new.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from apps.accounts.types import PersonView
from apps.chat.errors import ClientKeyReused
from apps.chat.import_errors import SlackEntryRefused
from apps.chat.models import Attachment, Conversation, CustomEmoji, Message
from apps.chat.rendering.markdown import Mentionable, render
from apps.chat.selectors.conversations import ref
from apps.chat.services.messages import send_messages
from apps.chat.services.slack import places
from apps.chat.services.slack.attached import Attachments
from apps.chat.services.slack.cast import Cast
from apps.chat.services.slack.emoji import as_emoji
from apps.chat.services.slack.export import SlackExport
from apps.chat.services.slack.kept import Pins, take_bookmarks, take_pins
from apps.chat.services.slack.markup import Names, bodies
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.shapes import SlackMessage, SlackPlace, read_message, starts_thread
from apps.chat.types import ATTACHMENT_LIMIT, BODY_LIMIT, Draft, ReactionView, SentMessage

BATCH = 200
MOST_EMOJI = 50
Beat = Callable[[int], object]


@dataclass(frozen=True, kw_only=True)
class Task:
    """An import at work: what is read, who everybody is, and where to note what is left out."""

    export: SlackExport
    organization_id: UUID
    actor_id: UUID
    source: str
    fetches_files: bool
    cast: Cast
    notes: Notes


@dataclass
class Counts:
    """What one conversation has now. `new`: of this try."""

    messages: int = 0
    new: int = 0
    files: int = 0
    people: int = 0
    pins: int = 0
    bookmarks: int = 0
    notes: dict[str, int] = field(default_factory=dict)


def import_place(place: SlackPlace, task: Task, *, beat: Beat) -> Counts:
    """Store what one conversation says, then seat its people behind it: nothing of it is unread for anybody.

    Args:
        beat: called with the number of messages after each batch; raises to leave.
    """
    known = places.ensure_place(
        place,
        organization_id=task.organization_id,
        source=task.source,
        actor_id=task.actor_id,
        cast=task.cast,
    )
    conversation = known.conversation
    work = _Work(place, conversation, task)
    messages = _messages(task.export, place, task.notes)
    while window := tuple(islice(messages, BATCH)):
        work.store(window)
        task.notes.flush()
        beat(work.counts.messages)
    by = task.actor_id
    pins = work.pins.all(task.notes)
    work.counts.pins = take_pins(place, known, pins, cast=task.cast, notes=task.notes, actor_id=by)
    work.counts.bookmarks = take_bookmarks(place, known, notes=task.notes, actor_id=by)
    people = [person for one in place.members if (person := task.cast.find(one)) is not None]
    work.counts.people = places.seat_people(conversation, people, actor_id=task.actor_id)
    task.notes.flush()
    work.counts.notes = dict(task.notes.counts)
    work.counts.files = Attachment.objects.filter(
        organization_id=task.organization_id,
        message__conversation_id=conversation.pk,
        message__client_key__startswith=place.client_key(""),
    ).count()
    return work.counts


@dataclass(frozen=True)
class _Read:
    """A message that can be stored, and whether replies name it."""

    message: SlackMessage
    is_root: bool


def _messages(export: SlackExport, place: SlackPlace, notes: Notes) -> Iterator[_Read]:
    """Yield the messages of a conversation day by day, each day in order; note what is none."""
    for name in export.archive.days_of(place.folder):
        try:
            rows = export.archive.rows(name)
        except SlackEntryRefused as error:
            notes.add(error.reason, name)
            continue
        found = []
        for number, row in enumerate(rows):
            message = read_message(row)
            if isinstance(message, SlackMessage):
                found.append(_Read(message, starts_thread(row)))
            elif message in ("slack.system_message", "slack.deleted"):
                notes.count(message)
            else:
                notes.add(message, name, str(number))
        yield from sorted(found, key=lambda one: one.message.order)


class _Work:
    """Turns messages into drafts and stores them."""

    def __init__(self, place: SlackPlace, conversation: Conversation, task: Task) -> None:
        self.counts, self.pins = Counts(), Pins(place)
        self._place, self._conversation, self._task = place, conversation, task
        self._cast, self._notes = task.cast, task.notes
        self._roots: dict[str, UUID] = {}
        self._mentionable: dict[str, Mentionable] = {}
        self._files = Attachments(
            task.export.archive,
            organization_id=task.organization_id,
            place=place.said,
            fetches=task.fetches_files,
            notes=task.notes,
        )
        own = CustomEmoji.objects.filter(organization_id=task.organization_id).values_list("code", flat=True)
        known = task.export.places
        self._names = Names(
            person=self._person,
            channel=lambda pk: known[pk].name if pk in known else None,
            own_emoji=frozenset(own),
        )

    def store(self, window: tuple[_Read, ...]) -> None:
        """Store some messages: first those that replies may name, then the replies."""
        known = self._known(window)
        self.counts.messages += len(known)
        for one in window:
            self.pins.add(one.message)
        for is_reply in (False, True):
            chosen = [one for one in window if bool(one.message.thread) == is_reply]
            self._send([draft for one in chosen for draft in self._drafts(one, known)])

    def _known(self, window: tuple[_Read, ...]) -> dict[str, UUID]:
        """Return what is stored already, by key. One query."""
        keys = [self._key(one.message) for one in window]
        rows = Message.objects.filter(
            organization_id=self._task.organization_id,
            conversation_id=self._conversation.pk,
            client_key__in=keys,
        )
        return dict(rows.values_list("client_key", "pk"))

    def _drafts(self, read: _Read, known: dict[str, UUID]) -> list[Draft]:
        """Return the drafts of one message: none where it is stored, several where it is too long for one."""
        message, key = read.message, self._key(read.message)
        if (stored := known.get(key)) is not None:
            self._stand(read, stored)
            return []
        author = self._cast.author(message.author, message.author_name)
        if message.is_repaired:
            self._notes.add("slack.text_repaired", self._place.said, message.ts)
        files, links = self._attached(message, author)
        parts = bodies("\n".join([message.text, *links]).strip("\n"), self._names)
        if len(parts) > 1:
            self._notes.add("slack.text_split", self._place.said, message.ts)
        drafts = [
            self._draft(read, author, body, key=key if not number else f"{key}:{number}")
            for number, body in enumerate(parts)
        ]
        first = self._with_extras(drafts[0], message, files)
        self._stand(read, first.id)
        return [first, *drafts[1:]]

    def _draft(self, read: _Read, author: PersonView, body: str, *, key: str) -> Draft:
        message = read.message
        rendered = render(body[:BODY_LIMIT], self._mentionable)
        return Draft(
            organization_id=self._task.organization_id,
            conversation_id=self._conversation.pk,
            sender=ref(author),
            client_key=key,
            body=body[:BODY_LIMIT],
            html=rendered.html,
            thread=self._thread(message),
            mentions=rendered.mentions,
            sent_at=message.at,
            edited_at=message.edited_at,
            is_history=True,
        )

    def _with_extras(self, draft: Draft, message: SlackMessage, files: tuple[UUID, ...]) -> Draft:
        return dataclasses.replace(draft, attachments=files, reactions=self._reactions(message))

    def _attached(self, message: SlackMessage, author: PersonView) -> tuple[tuple[UUID, ...], list[str]]:
        """Return the files that were stored, and a line of text for each that was not."""
        stored: list[UUID] = []
        lines: list[str] = []
        for file in message.files:
            if len(stored) == ATTACHMENT_LIMIT:
                self._notes.add("slack.too_many_files_here", self._place.said, message.ts, file.name)
                lines.append(_line(file.address, file.name))
                continue
            kept = self._files.store(file, author_id=author.id, moment=message.ts)
            if kept.file is None:
                lines.append(_line(kept.link, file.name))
            elif kept.file.id not in stored:
                stored.append(kept.file.id)
        return tuple(stored), lines

    def _reactions(self, message: SlackMessage) -> tuple[ReactionView, ...]:
        """Return who chose what; one emoji under two names is one."""
        found: dict[str, dict[UUID, None]] = {}
        for name, people in message.reactions:
            emoji = as_emoji(name) or (f":{name}:" if name in self._names.own_emoji else None)
            if emoji is None:
                self._notes.add("slack.emoji_unknown", self._place.said, message.ts, name)
                continue
            known = [person.id for one in people if (person := self._cast.find(one)) is not None]
            if known:
                found.setdefault(emoji, {}).update(dict.fromkeys(known))
        return tuple(ReactionView(emoji, tuple(people)) for emoji, people in list(found.items())[:MOST_EMOJI])

    def _thread(self, message: SlackMessage) -> UUID | None:
        if not message.thread:
            return None
        root = self._roots.get(message.thread)
        if root is None:
            self._notes.add("slack.thread_missing", self._place.said, message.ts)
        return root

    def _send(self, drafts: list[Draft]) -> None:
        for draft, outcome in zip(drafts, send_messages(drafts), strict=True):
            if isinstance(outcome, SentMessage):
                self.counts.messages += 1
                self.counts.new += not outcome.repeated
                continue
            code = "slack.twice" if isinstance(outcome, ClientKeyReused) else outcome.code
            self._notes.add(code, self._place.said, draft.client_key.split(":")[2])

    def _stand(self, read: _Read, message_id: UUID) -> None:
        if read.is_root:
            self._roots[read.message.ts] = message_id

    def _person(self, external_id: str) -> tuple[str, UUID] | None:
        person = self._cast.find(external_id)
        if person is None:
            return None
        self._mentionable[str(person.id)] = Mentionable(person.id, person.name, person.kind != "person")
        return person.name, person.id

    def _key(self, message: SlackMessage) -> str:
        return self._place.client_key(message.ts)


def _line(address: str, name: str) -> str:
    """Return a line about a file, in Slack's markup."""
    shown = name.translate({ord(sign): None for sign in "<>|"})
    is_link = re.fullmatch(r"https?://[^\s<>|]+", address)
    return f"<{address}|{shown}>" if is_link else shown

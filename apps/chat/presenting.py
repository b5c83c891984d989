"""How a window of messages is laid out: days, the unread line, and which messages continue the one above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import Principal
from apps.chat.rendering.differences import Change, differences
from apps.chat.selectors.conversations import ref
from apps.chat.selectors.topics import resolved_among
from apps.chat.services import moderation
from apps.chat.types import MessageView, PersonRef

GROUP_SECONDS = 5 * 60


@dataclass(frozen=True, kw_only=True)
class Row:
    """A message and what stands above it.

    Attributes:
        day: the day that begins with this message, in the reader's zone; None within a day.
        unread_since: set on the first unread message: when the newest read one was sent, or the message's own time.
        continues: the same sender wrote the message above, a moment ago: no face and no name again.
        thread_people: faces beside the number of replies.
        begins_topic: the messages above stand in another topic; `is_resolved` is this one's.
        hidden_html: what the reader's own message says that moderators have hidden.
    """

    message: MessageView
    day: dt.date | None = None
    unread_since: dt.datetime | None = None
    unread_count: int = 0
    continues: bool = False
    is_mine: bool = False
    mentions_me: bool = False
    thread_people: tuple[PersonRef, ...] = ()
    begins_topic: bool = False
    is_resolved: bool = False
    hidden_html: str = ""

    @property
    def has_divider(self) -> bool:
        """Return whether a day or what is unread begins here."""
        return self.day is not None or self.unread_since is not None

    @property
    def html(self) -> str:
        """The rendered body. It was sanitised when it was stored."""
        return self.message.html


def rows(
    messages: Sequence[MessageView],
    *,
    reader: Principal,
    first_unread: UUID | None = None,
    unread_count: int = 0,
    tells_topics: bool = False,
) -> list[Row]:
    """Lay out messages, oldest first. One query for topics, where there are any, and one for faces of threads that did
    not also send one of the messages; one more where one of the reader's own is hidden.

    Args:
        tells_topics: messages of several topics stand among each other.
    """
    faces = _thread_faces(messages)
    hidden = moderation.read_own_hidden(
        principal=reader,
        message_ids=[one.id for one in messages if one.hidden_at and one.sender.id == reader.id],
    )
    resolved = resolved_among({message.topic.id for message in messages if message.topic})
    found: list[Row] = []
    above: MessageView | None = None
    day_above: dt.date | None = None
    for message in messages:
        is_unread_line = message.id == first_unread
        day = timezone.localtime(message.sent_at).date()
        starts_day = day != day_above
        begins_topic = tells_topics and (above is None or above.topic != message.topic)
        since = (above or message).sent_at if is_unread_line else None
        found.append(
            Row(
                message=message,
                day=day if starts_day else None,
                unread_since=since,
                unread_count=unread_count if is_unread_line else 0,
                continues=not starts_day
                and not is_unread_line
                and not begins_topic
                and above is not None
                and _continues(above, message),
                is_mine=message.sender.id == reader.id,
                mentions_me=reader.id in message.mentions or 'data-principal=""' in message.html,
                thread_people=tuple(
                    faces[person]
                    for person in (message.replies.people if message.replies else ())
                    if person in faces
                )[-3:],
                begins_topic=begins_topic,
                is_resolved=message.topic is not None and message.topic.id in resolved,
                hidden_html=hidden[message.id].html if message.id in hidden else "",
            )
        )
        above, day_above = message, day
    return found


@dataclass(frozen=True, kw_only=True)
class Version:
    """One text of a message: what it changed in the one before, and until when it stood (None: it stands)."""

    number: int
    changes: tuple[Change, ...]
    replaced_at: dt.datetime | None


def versions(message: MessageView, older: Sequence[tuple[int, str, dt.datetime]]) -> list[Version]:
    """Return the texts of a message, newest first, each as what it changed.

    Args:
        older: (version, text, replaced at), newest first.
    """
    texts: list[tuple[int, str, dt.datetime | None]] = [(message.version, message.body, None), *older]
    befores = [text for _, text, _ in texts[1:]]
    found = [
        Version(number=number, changes=tuple(differences(before, text)), replaced_at=replaced_at)
        for (number, text, replaced_at), before in zip(texts, befores, strict=False)
    ]
    number, text, replaced_at = texts[-1]
    return [*found, Version(number=number, changes=(Change("same", text),), replaced_at=replaced_at)]


def _continues(above: MessageView, message: MessageView) -> bool:
    return (
        above.sender.id == message.sender.id
        and (message.sent_at - above.sent_at).total_seconds() < GROUP_SECONDS
        and above.deleted_at is None
        and message.deleted_at is None
    )


def _thread_faces(messages: Iterable[MessageView]) -> dict[UUID, PersonRef]:
    faces = {message.sender.id: message.sender for message in messages}
    wanted = {person for message in messages if message.replies for person in message.replies.people}
    missing = people_selectors.people(wanted - faces.keys())
    return faces | {pk: ref(person) for pk, person in missing.items()}

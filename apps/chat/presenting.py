"""How a window of messages is laid out: days, the unread line, and which messages continue the one above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import Principal
from apps.chat.selectors.conversations import ref
from apps.chat.selectors.topics import resolved_among
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
    """Lay out messages, oldest first. One query for the faces of threads and one for topics, where there are any.

    Args:
        tells_topics: messages of several topics stand among each other.
    """
    faces = _thread_faces(messages)
    resolved = resolved_among({message.topic.id for message in messages if message.topic})
    found: list[Row] = []
    above: MessageView | None = None
    for message in messages:
        is_unread_line = message.id == first_unread
        starts_day = above is None or _day(above) != _day(message)
        begins_topic = tells_topics and (above is None or above.topic != message.topic)
        since = (above or message).sent_at if is_unread_line else None
        found.append(
            Row(
                message=message,
                day=_day(message) if starts_day else None,
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
            )
        )
        above = message
    return found


def _day(message: MessageView) -> dt.date:
    return timezone.localtime(message.sent_at).date()


def _continues(above: MessageView, message: MessageView) -> bool:
    return (
        above.sender.id == message.sender.id
        and (message.sent_at - above.sent_at).total_seconds() < GROUP_SECONDS
        and above.deleted_at is None
        and message.deleted_at is None
    )


def _thread_faces(messages: Iterable[MessageView]) -> dict[UUID, PersonRef]:
    wanted = {person for message in messages if message.replies for person in message.replies.people}
    return {pk: ref(person) for pk, person in people_selectors.people(wanted).items()} if wanted else {}

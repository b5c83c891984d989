"""Take what messages said out of the event log, in which it would outlive them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.chat import events
from apps.chat.models import Message
from apps.core.services.erasing import blank_events

_TOLD = """
SELECT sequence FROM core_event
WHERE organization_id = %(organization)s AND stream_id = %(stream)s AND sequence >= %(first)s AND (
  sequence = ANY(%(numbers)s)
  OR (type IN ('message.edited', 'message.card_changed', 'poll.changed', 'message.previews_changed')
    AND payload ->> 'message_id' = ANY(%(messages)s))
  OR (type = 'message.restored' AND payload #>> '{message,id}' = ANY(%(messages)s)))
"""
_TELLING = (
    events.MessageSent,
    events.MessageEdited,
    events.CardChanged,
    events.PollChanged,
    events.PreviewsChanged,
)
ALL_BUT_FILES = tuple(field for cls in _TELLING for field in cls.personal if field != "message.attachments")


def forget_log(message: Message) -> None:
    """Take what a message said out of the event log: its first event, and those that told what became of it."""
    forget_logs([message])


def silence_log(message: Message) -> None:
    """Take the words of a hidden message out of the event log; its place and the sender's key stay.

    What brings it back says it all again.
    """
    forget_logs([message], but=("message.client_key",))


def forget_logs(messages: Sequence[Message], *, but: tuple[str, ...] = ()) -> None:
    """The same for messages of one conversation. Two statements for any number.

    Args:
        but: fields that stay.
    """
    first = messages[0]
    numbers = [row.sequence for row in messages]
    named: dict[str, Any] = {
        "organization": first.organization_id, "stream": first.conversation_id, "first": min(numbers),
        "numbers": numbers, "messages": [str(row.pk) for row in messages],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, named)
        sequences = [sequence for (sequence,) in cursor.fetchall()]
    blank_events(
        organization_id=first.organization_id, stream_id=first.conversation_id, sequences=sequences, but=but
    )


def forget_log_of(*, organization_id: UUID, message_id: UUID) -> None:
    """Take what a message said so far out of the event log; harmless for one that does not exist."""
    message = Message.objects.filter(organization_id=organization_id, pk=message_id).first()
    if message is not None:
        forget_log(message)

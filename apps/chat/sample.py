"""A message without content: pages carry it in a `<template>`, so that scripts draw with the server's own partial."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from apps.chat.presenting import Row
from apps.chat.types import AttachmentView, MessageView, PersonRef, TopicRef

MESSAGE, CONVERSATION, SENDER = UUID(int=0), UUID(int=1), UUID(int=2)


@dataclass(frozen=True)
class Sample:
    """A first message of its sender, one that continues it, and two kinds of files."""

    first: Row
    more: Row
    file: AttachmentView
    picture: AttachmentView
    topic: TopicRef


def sample() -> Sample:
    """Return the sample. Scripts replace the ids: 0 is the message or file, 1 the conversation, 2 the sender."""
    message = MessageView(
        id=MESSAGE,
        conversation=CONVERSATION,
        sequence=0,
        sender=PersonRef(SENDER, "", "person", "", 1),
        body="",
        html="",
        sent_at=datetime(2000, 1, 1, tzinfo=UTC),
    )
    return Sample(
        first=Row(message=message),
        more=Row(message=message, continues=True),
        file=AttachmentView(MESSAGE, ".pdf", "application/octet-stream", 0),
        picture=AttachmentView(MESSAGE, "", "image/png", 0),
        topic=TopicRef(MESSAGE, ""),
    )

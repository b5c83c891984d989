"""The statement of the one write path, shared by its two callers: the batcher and the batch of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from structlog.contextvars import get_contextvars

from apps.chat.types import Draft, SentMessage
from apps.core.ids import uuid7

SEND_BATCH = (
    "SELECT draft, message, sequence, sent_at, repeated, same_body, payload FROM chat_send_batch(%s::jsonb)"
)


def encode(drafts: Sequence[Draft]) -> str:
    """Return the drafts as the argument of `chat_send_batch`."""
    trace = str(get_contextvars().get("request_id", ""))
    return orjson.dumps([_row(draft, trace) for draft in drafts]).decode()


def _row(draft: Draft, trace: str) -> dict[str, Any]:
    row = _new(draft, trace)
    return {**row, **_history(draft)} if draft.is_history else row


def _history(draft: Draft) -> dict[str, Any]:
    """Return what only imported history has; a new message does not pay for it."""
    return {
        "history": True,
        "edited_at": draft.edited_at,
        "reactions": draft.reactions,
        "reacted": [
            {"id": uuid7(), "principal": principal, "emoji": reaction.emoji}
            for reaction in draft.reactions
            for principal in reaction.principals
        ],
    }


def _new(draft: Draft, trace: str) -> dict[str, Any]:
    return {
        "id": draft.id,
        "organization": draft.organization_id,
        "conversation": draft.conversation_id,
        "sender": draft.sender.id,
        "client_key": draft.client_key,
        "thread": draft.thread,
        "body": draft.body,
        "html": draft.html,
        "mentions": draft.mentions,
        "everyone": draft.mentions_everyone,
        "attachments": draft.attachments,
        "card": draft.card,
        "person": draft.sender,
        "trace": trace,
        "sent_at": draft.sent_at,
        "topic": draft.topic or None,
        "topic_key": uuid7() if draft.topic else None,
        "announces": draft.announces,
        "announce_scopes": draft.announce_scopes,
        "priority": draft.priority,
        "also": draft.also_notified,
    }


@dataclasses.dataclass(frozen=True)
class Stored:
    """One row of the answer. `same` is False when the key was used for another text."""

    sent: SentMessage
    same: bool


def decode(drafts: Sequence[Draft], rows: Iterable[Sequence[Any]]) -> dict[UUID, Stored]:
    """Return what was stored, by draft id; a draft that did not fit is absent."""
    found = {row[0]: row for row in rows}
    return {
        draft.id: Stored(
            SentMessage(
                id=row[1],
                conversation_id=draft.conversation_id,
                sequence=row[2],
                sent_at=row[3],
                repeated=row[4],
                payload=row[6].encode() if row[6] else b"",
            ),
            same=row[5],
        )
        for draft in drafts
        if (row := found.get(draft.id)) is not None
    }

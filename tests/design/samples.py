"""Messages and people for rendering, without a database."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.test import RequestFactory

from apps.accounts.types import BUILTIN_ROLES, Principal
from apps.chat.types import (
    AttachmentView,
    ConversationView,
    MessageView,
    PersonRef,
    ReactionView,
    ThreadSummary,
)

ORGANIZATION, CONVERSATION, SCOPE = UUID(int=10), UUID(int=11), UUID(int=12)
MAREN = PersonRef(UUID(int=21), "Maren Thiessen", "person", "MT", 1)
JONAS = PersonRef(UUID(int=22), "Jonas Petersen", "person", "JP", 3)
LOTSE = PersonRef(UUID(int=23), "Lotse", "agent", "L", 2)
NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
READER = Principal(
    id=MAREN.id, kind="person", organization_id=ORGANIZATION, organization_slug="nordlicht", member_id=UUID(int=31),
    name=MAREN.name, role="member", permissions=BUILTIN_ROLES["member"],
)  # fmt: skip
CHANNEL = ConversationView(
    id=CONVERSATION, kind="channel", name="betrieb-offshore", description="Schichten, Wartung und Wetter",
    is_private=False, is_member=True, archived_at=None,
    last_read_sequence=4, last_sequence=9, unread=2, counted=2, mentions=1, has_draft=False,
    is_muted=False, is_starred=False, scope=SCOPE,
)  # fmt: skip


def request_of(reader: Principal = READER, path: str = "/o/nordlicht/") -> HttpRequest:
    """Return a request as the middleware leaves it."""
    request = RequestFactory().get(path)
    request.principal = reader  # type: ignore[attr-defined]
    return request


def message(number: int, sender: PersonRef = JONAS, *, minutes: int = 0, **changes: Any) -> MessageView:
    """Return a message of that number, some minutes after nine."""
    plain = MessageView(
        id=UUID(int=1000 + number), conversation=CONVERSATION, sequence=number, sender=sender, body="Moin",
        html="<p>Moin</p>\n", sent_at=NINE + timedelta(minutes=minutes),
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def full_message() -> MessageView:
    """Return a message with everything that can hang on one."""
    return message(
        7,
        edited_at=NINE,
        version=2,
        html=f'<p><span class="mention" data-principal="{MAREN.id}">@Maren Thiessen</span> please look</p>',
        mentions=(MAREN.id,),
        attachments=(
            AttachmentView(UUID(int=41), "plan.pdf", "application/pdf", 2_900_000),
            AttachmentView(UUID(int=42), "tower.png", "image/png", 1000),
        ),
        reactions=(ReactionView("👍", (MAREN.id, JONAS.id)), ReactionView("🎉", (JONAS.id,))),
        replies=ThreadSummary(2, NINE + timedelta(minutes=9), (JONAS.id, MAREN.id)),
    )

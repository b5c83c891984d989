"""Conversations for jumping there by name: no counts, so that it answers while one types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Lower

from apps.accounts.selectors import people as people_selectors
from apps.accounts.types import Principal
from apps.chat.models import Conversation, Membership
from apps.chat.selectors.conversations import visible_conversations

MOST = 2000


@dataclass(frozen=True)
class NamedConversation:
    """A conversation and what it is called for this reader."""

    id: UUID
    name: str
    is_private: bool
    is_member: bool


def named_channels(principal: Principal) -> list[NamedConversation]:
    """Return the visible channels that are not archived, joined ones first, at most 2,000. One query."""
    rows = (
        visible_conversations(principal)
        .filter(kind=Conversation.Kind.CHANNEL, archived_at=None)
        .annotate(is_member=Exists(_own(principal).filter(conversation_id=OuterRef("pk"))))
        .order_by(F("is_member").desc(), Lower("name"))
        .values_list("pk", "name", "is_private", "is_member")[:MOST]
    )
    return [NamedConversation(*row) for row in rows]


def named_groups(principal: Principal) -> list[NamedConversation]:
    """Return the principal's own group conversations by the people in them, at most 2,000. Two queries."""
    groups = (
        _own(principal).filter(conversation__kind=Conversation.Kind.GROUP).values("conversation_id")[:MOST]
    )
    seats = (
        Membership.objects.filter(conversation_id__in=groups, left_at=None)
        .exclude(principal_id=principal.id)
        .values_list("conversation_id", "principal_id")
    )
    people: dict[UUID, list[UUID]] = {}
    for conversation, person in seats:
        people.setdefault(conversation, []).append(person)
    known = people_selectors.people({one for several in people.values() for one in several}) if people else {}
    return [
        NamedConversation(
            conversation, ", ".join(sorted(known[one].name for one in several if one in known)), True, True
        )
        for conversation, several in people.items()
    ]


def direct_with(principal: Principal, people: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the direct conversation with each of these people the principal already has one with. One query."""
    rows = Membership.objects.filter(
        Exists(_own(principal).filter(conversation_id=OuterRef("conversation_id"))),
        conversation__kind=Conversation.Kind.DIRECT,
        principal_id__in=[one for one in people if one != principal.id],
        left_at=None,
    )
    return dict(rows.values_list("principal_id", "conversation_id"))


def _own(principal: Principal) -> QuerySet[Membership]:
    return Membership.objects.filter(
        organization_id=principal.organization_id,
        principal_id=principal.id,
        left_at=None,
        conversation__in=visible_conversations(principal),
    )

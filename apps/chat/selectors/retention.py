"""Which messages have an end, and when: the rules, what a rule would delete, and what is due now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.models import Conversation, RetentionRule
from apps.core.retention import Held
from apps.security.selectors.holds import held

MANAGE = "privacy.manage"
_WHERE = """
FROM chat_conversation c
LEFT JOIN chat_retentionrule own ON own.organization_id = c.organization_id AND own.conversation_id = c.id
LEFT JOIN chat_retentionrule common ON common.organization_id = c.organization_id AND common.conversation_id IS NULL
JOIN chat_message m ON m.organization_id = c.organization_id AND m.conversation_id = c.id
WHERE c.organization_id = %(organization)s AND m.deleted_at IS NULL AND NOT c.id = ANY(%(places)s)
  AND NOT m.sender_id = ANY(%(people)s) AND {which}
"""
_MARKED = (
    "(m.pinned_at IS NOT NULL OR EXISTS (SELECT FROM chat_savedmessage s "
    "WHERE s.organization_id = m.organization_id AND s.message_id = m.id))"
)
_DUE = (
    "SELECT m.id "
    + _WHERE.format(
        which="m.sent_at < %(now)s "
        "- make_interval(days => CASE WHEN own.id IS NULL THEN common.days ELSE own.days END) "
        f"AND NOT (coalesce(own.keeps_marked, common.keeps_marked) AND {_MARKED})"
    )
    + "ORDER BY c.id, m.sequence LIMIT %(limit)s"
)
_OLD = f"m.sent_at < %(before)s AND NOT (%(keeps_marked)s AND {_MARKED})"
_OF_ONE = f"c.id = %(conversation)s AND {_OLD}"
_OF_ALL = f"own.id IS NULL AND {_OLD}"
_COUNT = "SELECT count(*), count(DISTINCT c.id), min(m.sent_at) "


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule: of one conversation, or of all without one of their own. `days` None keeps messages for ever."""

    id: UUID
    conversation: UUID | None
    conversation_name: str
    days: int | None
    keeps_marked: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RetentionPreview:
    """What a rule deletes today: how many messages in how many conversations, the oldest of when, and what is held.

    Attributes:
        held: messages as old that stay, because a legal hold keeps them.
    """

    messages: int
    conversations: int
    oldest: datetime | None
    held: int


def list_rules(principal: Principal) -> list[RuleView]:
    """Return the rules of the organization, the common one first, then by channel. One query.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    rows = RetentionRule.objects.filter(organization_id=principal.organization_id).select_related(
        "conversation"
    )
    views = [
        RuleView(
            id=row.pk,
            conversation=row.conversation_id,
            conversation_name=row.conversation.name if row.conversation else "",
            days=row.days,
            keeps_marked=row.keeps_marked,
            changed_at=row.changed_at,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: (view.conversation is not None, view.conversation_name.casefold()))


def list_places(principal: Principal) -> list[tuple[UUID, str]]:
    """Return the channels that can have a rule of their own, by name; for who manages privacy. One query.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    rows = Conversation.objects.filter(organization_id=principal.organization_id, kind="channel")
    return list(rows.order_by("name", "pk").values_list("pk", "name"))


def preview(
    principal: Principal, *, conversation_id: UUID | None, days: int | None, keeps_marked: bool = False
) -> RetentionPreview:
    """Return what a rule would delete today. Three queries; one where it keeps everything.

    Args:
        conversation_id: the channel; None for all that have no rule of their own.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    if days is None:
        return RetentionPreview(0, 0, None, 0)
    named: dict[str, Any] = {
        "organization": principal.organization_id,
        "conversation": conversation_id,
        "before": timezone.now() - timedelta(days=days),
        "keeps_marked": keeps_marked,
    }
    which = _OF_ALL if conversation_id is None else _OF_ONE
    free = _count(which, named, held(principal.organization_id))
    everything = _count(which, named, Held())
    return RetentionPreview(free[0], free[1], free[2], held=everything[0] - free[0])


def due_messages(*, organization_id: UUID, kept: Held, limit: int) -> list[UUID]:
    """Return the next messages whose time is over and that no hold keeps. One query."""
    named: dict[str, Any] = {
        "organization": organization_id,
        "now": timezone.now(),
        "limit": limit,
        **_held(kept),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, named)
        return [pk for (pk,) in cursor.fetchall()]


def organizations_with_rules() -> Iterator[UUID]:
    """Yield the organizations that have a rule; across organizations, for the relay. One query."""
    rows = RetentionRule.objects.exclude(days=None).order_by().values_list("organization_id", flat=True)
    yield from rows.distinct()


def _count(which: str, named: dict[str, Any], kept: Held) -> tuple[int, int, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT + _WHERE.format(which=which), {**named, **_held(kept)})
        found: tuple[int, int, datetime | None] = cursor.fetchone()
    return found


def _held(kept: Held) -> dict[str, list[UUID]]:
    return {"places": sorted(kept.place_ids("conversation")), "people": sorted(kept.people)}

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
_FILED = (
    "EXISTS (SELECT FROM chat_attachment a "
    "WHERE a.organization_id = m.organization_id AND a.message_id = m.id)"
)
_FILES_DUE = (
    "SELECT m.id, m.conversation_id, m.scope_id "
    + _WHERE.format(
        which="m.sent_at < %(now)s "
        "- make_interval(days => CASE WHEN own.id IS NULL THEN common.file_days ELSE own.file_days END) "
        f"AND {_FILED} AND NOT (coalesce(own.keeps_marked, common.keeps_marked) AND {_MARKED})"
    )
    + "ORDER BY c.id, m.sequence LIMIT %(limit)s"
)
_OLD = f"m.sent_at < %(before)s AND NOT (%(keeps_marked)s AND {_MARKED})"
_OF_ONE = f"c.id = %(conversation)s AND {_OLD}"
_OF_ALL = f"own.id IS NULL AND {_OLD}"
_COUNT = "SELECT count(*), count(DISTINCT c.id), min(m.sent_at) "
_COUNT_FILES = "SELECT count(*), count(DISTINCT c.id), min(m.sent_at) " + _WHERE.replace(
    "WHERE c.",
    "JOIN chat_attachment a ON a.organization_id = m.organization_id AND a.message_id = m.id\nWHERE c.",
)


_Count = tuple[int, int, datetime | None]
_NONE: _Count = (0, 0, None)


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule: of one conversation, or of all without one of their own. `days` None keeps messages for ever.

    `file_days` None keeps files as long as their messages.
    """

    id: UUID
    conversation: UUID | None
    conversation_name: str
    days: int | None
    file_days: int | None
    keeps_marked: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RetentionPreview:
    """What a rule deletes today: how many messages in how many conversations, the oldest of when, and what is held.

    Attributes:
        held: messages as old that stay, because a legal hold keeps them.
        files: files it deletes, of these messages and of those that stay without them; `held_files` stay for a hold.
    """

    messages: int
    conversations: int
    oldest: datetime | None
    held: int
    files: int = 0
    held_files: int = 0

    @property
    def deletes(self) -> bool:
        """Something ends by it now."""
        return bool(self.messages or self.files)


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
            file_days=row.file_days,
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
    principal: Principal,
    *,
    conversation_id: UUID | None,
    days: int | None,
    file_days: int | None = None,
    keeps_marked: bool = False,
) -> RetentionPreview:
    """Return what a rule would delete today. At most five queries; one where it keeps everything.

    Args:
        conversation_id: the channel; None for all that have no rule of their own.

    Raises:
        PermissionMissing.
    """
    access.require(principal, MANAGE)
    ages = [age for age in (days, file_days) if age is not None]
    if not ages:
        return RetentionPreview(0, 0, None, 0)
    which = _OF_ALL if conversation_id is None else _OF_ONE
    named: dict[str, Any] = {
        "organization": principal.organization_id,
        "conversation": conversation_id,
        "keeps_marked": keeps_marked,
    }
    kept = held(principal.organization_id)
    free, everything = _both(_COUNT + _WHERE, which, {**named, "before": _before(days)}, kept)
    files, all_files = _both(_COUNT_FILES, which, {**named, "before": _before(min(ages))}, kept)
    return RetentionPreview(
        free[0],
        free[1],
        free[2],
        held=everything[0] - free[0],
        files=files[0],
        held_files=all_files[0] - files[0],
    )


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


def due_files(*, organization_id: UUID, kept: Held, limit: int) -> list[tuple[UUID, UUID, UUID]]:
    """Return (message, conversation, scope) of the next messages that lose their files, and no hold keeps them.

    One query.
    """
    named: dict[str, Any] = {
        "organization": organization_id,
        "now": timezone.now(),
        "limit": limit,
        **_held(kept),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILES_DUE, named)
        found: list[tuple[UUID, UUID, UUID]] = cursor.fetchall()
    return found


def organizations_with_rules() -> Iterator[UUID]:
    """Yield the organizations that have a rule; across organizations, for the relay. One query."""
    rows = RetentionRule.objects.exclude(days=None, file_days=None).order_by()
    yield from rows.values_list("organization_id", flat=True).distinct()


def _both(statement: str, which: str, named: dict[str, Any], kept: Held) -> tuple[_Count, _Count]:
    """Return the counts without what is held, and with it."""
    if named["before"] is None:
        return _NONE, _NONE
    found: list[_Count] = []
    with connection.cursor() as cursor:
        for held_now in (kept, Held()):
            cursor.execute(statement.format(which=which), {**named, **_held(held_now)})
            found.append(cursor.fetchone())
    return found[0], found[1]


def _before(days: int | None) -> datetime | None:
    return None if days is None else timezone.now() - timedelta(days=days)


def _held(kept: Held) -> dict[str, list[UUID]]:
    return {"places": sorted(kept.place_ids("conversation")), "people": sorted(kept.people)}

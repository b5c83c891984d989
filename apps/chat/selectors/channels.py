"""The directory of channels: what a principal may see, joined or not, archived ones too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from django.db.models.functions import Lower

from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.models import Conversation
from apps.core import tenancy

State = Literal["open", "archived", "all"]
_STATES = {"open": "c.archived_at IS NULL", "archived": "c.archived_at IS NOT NULL", "all": "true"}
MOST = 500
_DIRECTORY = """
SELECT c.id, c.name, c.description, c.is_private, c.archived_at, c.who_posts,
  EXISTS (SELECT FROM chat_membership m WHERE m.organization_id = c.organization_id AND m.conversation_id = c.id
    AND m.principal_id = %(me)s AND m.left_at IS NULL) AS is_member,
  (SELECT count(*) FROM chat_membership m WHERE m.organization_id = c.organization_id AND m.conversation_id = c.id
    AND m.left_at IS NULL) AS members,
  (SELECT x.sent_at FROM chat_message x WHERE x.organization_id = c.organization_id AND x.conversation_id = c.id
    ORDER BY x.sequence DESC LIMIT 1) AS last_message_at
FROM chat_conversation c
WHERE c.organization_id = %(organization)s AND c.kind = 'channel' AND {state} AND {visible} AND {words}
ORDER BY lower(c.name) COLLATE "C", c.id LIMIT %(limit)s
""".format


@dataclass(frozen=True, kw_only=True)
class ChannelEntry:
    """A channel in the directory."""

    id: UUID
    name: str
    description: str
    is_private: bool
    archived_at: datetime | None
    who_posts: str
    is_member: bool
    members: int
    last_message_at: datetime | None


def list_public(names: Iterable[str]) -> dict[UUID, str]:
    """Return the public channels of the current organization with one of these names in small letters. One query."""
    rows = Conversation.objects.filter(
        organization_id=tenancy.current(), kind=Conversation.Kind.CHANNEL, is_private=False
    )
    named = rows.annotate(small=Lower("name")).filter(small__in=list(names))
    return dict(named.order_by("pk").values_list("pk", "name"))


def list_directory(
    principal: Principal, *, query: str = "", state: State = "open", limit: int = MOST
) -> list[ChannelEntry]:
    """Return channels by name; a guest sees only those it is in. One query.

    Args:
        query: each of its words is part of the name or the description.
    """
    visible = visible_scope_clause(principal, scope="c.scope_id")
    named: dict[str, Any] = {
        "me": principal.id, "organization": principal.organization_id, "limit": limit, **visible.params,
    }  # fmt: skip
    conditions = ["true"]
    for number, word in enumerate(query.replace("\x00", "").split()[:8]):
        named[f"word{number}"] = word
        conditions.append(f"strpos(lower(c.name || ' ' || c.description), lower(%(word{number})s)) > 0")
    statement = _DIRECTORY(state=_STATES[state], visible=visible.sql, words=" AND ".join(conditions))
    with connection.cursor() as cursor:
        cursor.execute(statement, named)
        names = [column.name for column in cursor.description]
        return [ChannelEntry(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

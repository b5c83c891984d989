"""Which conversations a principal sees, with counts computed from the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.selectors import people as people_selectors
from apps.accounts.selectors.scopes import visible_scope_clause, visible_scopes
from apps.accounts.services import access
from apps.accounts.types import GUEST, InScope, PersonView, Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Conversation, Membership
from apps.chat.selectors import kept_counts, unread
from apps.chat.types import ConversationView, Draft, PersonRef
from apps.core import tenancy
from apps.core.database import planned
from apps.core.errors import DomainError

# Columns in the order of a `ConversationView`, people, none of a channel, and what may be known the next time.
_LIST = """
SELECT q.id, q.kind, q.name, q.description, q.is_private, q.is_member, q.archived_at, q.last_read_sequence,
  q.last_sequence, q.counts[1], q.counts[CASE WHEN q.is_muted THEN 2 ELSE 1 END], q.counts[3], q.has_draft, q.is_muted,
  q.is_starred, q.scope_id, q.who_posts, q.takes_replies, q.last_message_at, q.people,
  q.counts[4]
FROM (SELECT c.id, c.kind, coalesce(c.name, '') AS name, c.description, c.is_private, c.archived_at, c.who_posts,
    c.takes_replies, c.scope_id,
    m.id IS NOT NULL AS is_member,
    coalesce(m.last_read_sequence, 0) AS last_read_sequence, coalesce(s.last_sequence, 0) AS last_sequence,
    coalesce(m.is_muted, false) AS is_muted, coalesce(m.is_starred, false) AS is_starred,
    CASE WHEN s.last_sequence > m.last_read_sequence THEN {counts} ELSE '{{0,0,0,0}}' END AS counts,
    NOT %(is_view)s AND EXISTS (SELECT 1 FROM chat_draft d WHERE d.conversation_id = c.id
      AND d.principal_id = %(me)s) AS has_draft,
    CASE WHEN c.kind <> 'channel' OR %(times)s THEN (SELECT x.sent_at FROM chat_message x
      WHERE x.organization_id = c.organization_id AND x.conversation_id = c.id
      ORDER BY x.sequence DESC LIMIT 1) END AS last_message_at,
    CASE WHEN c.kind <> 'channel' THEN ARRAY(SELECT o.principal_id FROM chat_membership o
      WHERE o.conversation_id = c.id AND o.left_at IS NULL ORDER BY o.joined_at, o.id) END AS people
  FROM chat_conversation c
  LEFT JOIN chat_membership m ON m.conversation_id = c.id AND m.organization_id = c.organization_id
    AND m.principal_id = %(me)s AND m.left_at IS NULL
  LEFT JOIN core_stream s ON s.organization_id = c.organization_id AND s.id = c.id
  LEFT JOIN {known}
  WHERE c.organization_id = %(organization)s AND {where} OFFSET 0) q
ORDER BY q.kind, lower(q.name) COLLATE "C", q.id
""".format  # the caller puts constants in, values travel as parameters
_OWN_HEADS = "SELECT id, last_sequence FROM core_stream WHERE organization_id = %s AND id = ANY(%s)"
_FIRST_MEMBERS = """
SELECT m.principal_id, count(*) OVER () FROM chat_membership m WHERE m.conversation_id = %s AND m.left_at IS NULL
ORDER BY m.joined_at, m.id LIMIT %s
"""


@dataclass(frozen=True)
class SenderView:
    """What the write path needs to explain a refusal."""

    kind: str
    archived_at: datetime | None
    is_member: bool
    is_creator: bool
    only_announcers: bool
    takes_replies: bool
    scope: UUID

    def is_closed_to(self, draft: Draft) -> bool:
        """Return whether only announcers post here and the draft is nobody's of them, nor a reply that may be."""
        if (
            not self.only_announcers
            or self.is_creator
            or draft.announces
            or self.scope in draft.announce_scopes
        ):
            return False
        return draft.thread is None or not self.takes_replies


def visible_conversations(principal: Principal) -> QuerySet[Conversation]:
    """Conversations whose scope the principal may see now; every read of one starts here."""
    return Conversation.objects.filter(
        organization_id=principal.organization_id, scope_id__in=visible_scopes(principal)
    )


def sees_conversation(principal: Principal, conversation_id: UUID) -> bool:
    """Return whether the principal sees a conversation. One query."""
    return visible_conversations(principal).filter(pk=conversation_id).exists()


def list_conversations(
    principal: Principal, *, include_archived: bool = False, channel_times: bool = True
) -> list[ConversationView]:
    """Return the principal's own conversations: channels by name, then direct and group ones. Two queries.

    Args:
        channel_times: whether it matters when a channel's newest message came; among hundreds it costs a third.
    """
    where = "m.id IS NOT NULL" + ("" if include_archived else " AND c.archived_at IS NULL")
    limit, values = unread.own_limit(principal)
    return _load(principal, f"{where} AND {limit}", values, times=channel_times)


def get_conversation(principal: Principal, conversation_id: UUID) -> ConversationView:
    """Return one visible conversation. One query, two where people are its name.

    Raises:
        ConversationNotFound: missing, or not visible.
    """
    visible = visible_scope_clause(principal, scope="c.scope_id", few=True)
    found = _load(
        principal, f"c.id = %(conversation)s AND {visible.sql}",
        {**visible.params, "conversation": conversation_id}, only=conversation_id,
    )  # fmt: skip
    if not found:
        raise ConversationNotFound
    return found[0]


def list_channels(principal: Principal) -> list[ConversationView]:
    """Return all visible channels, joined or not, for browsing. Three queries."""
    ids = list(
        visible_conversations(principal).filter(kind="channel", archived_at=None).values_list("pk", flat=True)
    )
    return _load(principal, "c.id = ANY(%(ids)s)", {"ids": ids}) if ids else []


def find_for_sender(
    *, organization_id: UUID, conversation_id: UUID, sender_id: UUID
) -> SenderView | DomainError:
    """Return state and membership for explaining a refusal, or ConversationNotFound when the sender may not see it."""
    row = Conversation.objects.filter(pk=conversation_id, organization_id=organization_id).first()
    if row is None:
        return ConversationNotFound()
    is_member = Membership.objects.filter(
        conversation_id=conversation_id, principal_id=sender_id, left_at=None
    ).exists()
    if not is_member and (row.is_private or people_selectors.is_guest(sender_id)):
        return ConversationNotFound()
    return SenderView(
        kind=row.kind,
        archived_at=row.archived_at,
        is_member=is_member,
        is_creator=row.created_by_id == sender_id,
        only_announcers=row.who_posts == Conversation.Posting.ANNOUNCERS,
        takes_replies=row.takes_replies,
        scope=row.scope_id,
    )


def heads(principal: Principal) -> dict[UUID, int]:
    """Return the last sequence of each conversation the principal is in. One query."""
    return _heads([principal.id], *unread.own_limit(principal)).get(principal.id, {})


def heads_of(principals: Sequence[Principal]) -> list[dict[UUID, int]]:
    """Return the heads of several principals of the current organization, in their order.

    One query for all whose own conversations nothing narrows further, one for each of the others.
    """
    plain = [unread.own_limit(one) == unread.NO_LIMIT for one in principals]
    people = {one.id for one, is_plain in zip(principals, plain, strict=True) if is_plain}
    found = _heads(list(people), *unread.NO_LIMIT) if people else {}
    return [
        dict(found.get(one.id, {})) if is_plain else heads(one)
        for one, is_plain in zip(principals, plain, strict=True)
    ]


def _heads(people: Sequence[UUID], limit: str, values: Mapping[str, Any]) -> dict[UUID, dict[UUID, int]]:
    joined = "JOIN chat_conversation c ON c.organization_id = m.organization_id AND c.id = m.conversation_id "
    found: dict[UUID, dict[UUID, int]] = {}
    with connection.cursor() as cursor:
        planned.execute(
            cursor,
            "SELECT m.principal_id, m.conversation_id, coalesce(s.last_sequence, 0) FROM chat_membership m "  # noqa: S608
            f"{joined if values else ''}"
            "LEFT JOIN core_stream s ON s.organization_id = m.organization_id AND s.id = m.conversation_id "
            "WHERE m.organization_id = %(organization)s AND m.principal_id = ANY(%(people)s) AND m.left_at IS NULL "
            f"AND {limit}",
            {"organization": tenancy.current(), "people": people, **values},
        )
        for person, conversation, sequence in cursor.fetchall():
            found.setdefault(person, {})[conversation] = sequence
    return found


def own_heads(principals: Sequence[Principal]) -> list[int]:
    """Return the last sequences of the own streams of principals of the current organization, in order. One query."""
    members = [one.member_id for one in principals]
    with connection.cursor() as cursor:
        planned.execute(cursor, _OWN_HEADS, [tenancy.current(), members])
        found: dict[UUID, int] = dict(cursor.fetchall())
    return [found.get(member, 0) for member in members]


def is_reached(principal: Principal, conversation_id: UUID) -> bool:
    """Return whether key, role and view let the principal reach a conversation it is in.

    No query, unless the role is limited to classes of data: then one.
    """
    if principal.data_classes is None:
        return principal.reaches(conversation_id)
    seen = visible_conversations(principal).filter(pk=conversation_id)
    return principal.reaches(conversation_id) and seen.exists()


def member_ids(*, conversation_id: UUID, among: Iterable[UUID] | None = None) -> list[UUID]:
    """Return who is in a conversation, oldest first; for callers that decided about rights."""
    rows = Membership.objects.filter(conversation_id=conversation_id, left_at=None)
    if among is not None:
        rows = rows.filter(principal_id__in=list(among))
    return list(rows.order_by("joined_at", "pk").values_list("principal_id", flat=True))


def first_members(*, conversation_id: UUID, besides: UUID, limit: int) -> tuple[int, list[UUID]]:
    """Return how many are in a conversation, and the first of them besides one. One query, however many they are."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _FIRST_MEMBERS, [conversation_id, limit + 1])
        rows = cursor.fetchall()
    others = [person for person, _ in rows if person != besides]
    return (rows[0][1] if rows else 0), others[:limit]


def members(principal: Principal, conversation_id: UUID) -> list[PersonView]:
    """Return the people of a visible conversation by name. Three queries.

    Raises:
        ConversationNotFound.
    """
    if not visible_conversations(principal).filter(pk=conversation_id).exists():
        raise ConversationNotFound
    found = people_selectors.people(member_ids(conversation_id=conversation_id))
    return sorted(found.values(), key=lambda person: person.name.casefold())


def may_manage(principal: Principal, conversation_id: UUID) -> bool:
    """Return whether the principal may name, close and archive a channel and take people out of it.

    Its creator may while in it, and whoever has the right by role, everywhere or here. At most two queries.
    """
    if may_here(principal, "conversation.manage_any", conversation_id):
        return True
    return not principal.held and (
        visible_conversations(principal)
        .filter(pk=conversation_id, kind="channel", created_by_id=principal.id)
        .filter(
            Exists(
                Membership.objects.filter(
                    conversation_id=OuterRef("pk"), principal_id=principal.id, left_at=None
                )
            )
        )
        .exists()
    )


def may_here(principal: Principal, action: str, conversation_id: UUID) -> bool:
    """Return whether the principal has a permission in one conversation, by its role or by one for it alone.

    No query for most; one where single audiences or classes of data count.
    """
    if not principal.scoped and principal.data_classes is None:
        return bool(access.can(principal, action))
    scope = visible_conversations(principal).filter(pk=conversation_id).values_list("scope_id", flat=True)
    found = scope.first()
    if found is None:
        return bool(access.can(principal, action)) and principal.data_classes is None
    return bool(access.can(principal, action, InScope(found)))


def scopes_of(principal: Principal, conversation_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the audiences of those of the conversations that the principal sees. One query."""
    rows = visible_conversations(principal).filter(pk__in=conversation_ids)
    return dict(rows.values_list("pk", "scope_id"))


def scope_of(principal: Principal, conversation_id: UUID) -> UUID:
    """Return the audience of a visible conversation.

    Raises:
        ConversationNotFound.
    """
    scope = (
        visible_conversations(principal).filter(pk=conversation_id).values_list("scope_id", flat=True).first()
    )
    if scope is None:
        raise ConversationNotFound
    return scope


def names(principal: Principal, conversation_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return what those of the conversations that the principal sees are called in its list. Two queries at most."""
    wanted = sorted(set(conversation_ids))
    if not wanted:
        return {}
    visible = visible_scope_clause(principal, scope="c.scope_id", few=True)
    found = _load(
        principal, f"c.id = ANY(%(wanted)s) AND {visible.sql}", {**visible.params, "wanted": wanted}
    )
    return {view.id: view.name for view in found}


def _load(
    principal: Principal,
    where: str,
    parameters: dict[str, Any],
    *,
    times: bool = True,
    only: UUID | None = None,
) -> list[ConversationView]:
    named = {
        "me": principal.id, "organization": principal.organization_id, "is_view": principal.viewed_by is not None,
        "times": times, **kept_counts.known_to(principal.id, only=only),
    }  # fmt: skip
    statement = _LIST(counts=unread.COUNTS, known=unread.KNOWN, where=where)
    with connection.cursor() as cursor:
        planned.execute(cursor, unread.WITH + statement, named | parameters)
        rows = cursor.fetchall()
    wanted = {person for row in rows if row[-2] for person in row[-2]}
    known = people_selectors.people(wanted) if wanted else {}
    views = [_view(principal, row, known) for row in rows]
    counted = zip(views, rows, strict=True)
    kept_counts.keep(
        principal.id,
        ((view.id, view.last_read_sequence, view.last_sequence, row[-1]) for view, row in counted),
    )
    return views


def _view(principal: Principal, row: Sequence[Any], known: dict[UUID, PersonView]) -> ConversationView:
    view = ConversationView(*row[:-2])
    if row[-2] is None:
        return view
    found = [known[person] for person in row[-2] if person in known]
    people = [person for person in found if person.id != principal.id] or found
    return view._replace(
        name=view.name or ", ".join(person.name for person in people),
        people=tuple(ref(person) for person in people),
    )


def ref(person: PersonView) -> PersonRef:
    """Return how a person appears beside messages."""
    return PersonRef(
        person.id, person.name, person.kind, person.initials, person.tint, person.avatar_file_id,
        is_guest=person.role == GUEST,
    )  # fmt: skip

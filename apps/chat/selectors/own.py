"""The numbers beside the reader's own lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.accounts.selectors.scopes import visible_scope_clause
from apps.accounts.types import Principal
from apps.chat.selectors.moderation import count_open, decides_in_chat
from apps.core.database import planned

_COUNTS = """
SELECT (SELECT count(*) FROM (
  SELECT 1 FROM chat_threadfollow f JOIN chat_message m ON m.organization_id = f.organization_id AND m.id = f.thread_id
  WHERE f.organization_id = %(organization)s AND f.principal_id = %(me)s AND f.is_followed AND {visible}
    AND EXISTS (SELECT 1 FROM chat_message x WHERE x.thread_id = f.thread_id AND x.sequence > f.read_sequence
      AND x.deleted_at IS NULL AND NOT x.is_history AND x.sender_id <> f.principal_id)
  LIMIT %(cap)s) t),
  (SELECT count(*) FROM chat_scheduledmessage s WHERE s.organization_id = %(organization)s AND s.principal_id = %(me)s
    AND s.state = 'failed'),
  (SELECT count(*) FROM chat_reminder r WHERE r.organization_id = %(organization)s AND r.principal_id = %(me)s
    AND r.fired_at IS NOT NULL)
""".format
CAP = 1000  # what is shown as 999+


@dataclass(frozen=True, kw_only=True)
class OwnCounts:
    """What waits in the reader's own lists.

    Attributes:
        threads: followed threads with a new reply.
        drafts: conversations with a draft.
        failed: scheduled messages that could not be sent.
        reminders: those that came and are not done.
        reports: messages that wait for the reader's decision; None where it moderates nothing, or in the console.
    """

    threads: int
    drafts: int
    failed: int = 0
    reminders: int = 0
    reports: int | None = None


def own_counts(principal: Principal, *, drafts: int) -> OwnCounts:
    """Return the counts; the caller counted the drafts with its list. One query, one more for who moderates."""
    visible = visible_scope_clause(principal, scope="m.scope_id", time="m.sent_at")
    named: dict[str, Any] = {"organization": principal.organization_id, "me": principal.id, "cap": CAP}
    with connection.cursor() as cursor:
        planned.execute(cursor, _COUNTS(visible=visible.sql), {**visible.params, **named})
        threads, failed, reminders = cursor.fetchone()
    if principal.viewed_by:
        failed = reminders = 0
    reports = count_open(principal) if decides_in_chat(principal) else None
    return OwnCounts(threads=threads, drafts=drafts, failed=failed, reminders=reminders, reports=reports)

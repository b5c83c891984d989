"""Unread totals and the conversation list of a member of 500 conversations, in the database and as the caller sees it.

A tenth of the conversations have topics with wishes and marks, a tenth are muted; 40 messages wait in each.
"""

from __future__ import annotations

import os
from uuid import UUID

from chatsystem.testing.servers import start_servers
from tests.benchmarks.access import _planned, _times
from tests.benchmarks.audit import _as_role, _migrate, _organization
from tests.benchmarks.figures import figure, middle, percentile, progress

MESSAGES = {"quick": 200, "standard": 1000, "full": 2000}  # in each of 500 conversations
ROUNDS = {"quick": 40, "standard": 100, "full": 200}
GOAL_MS = 30.0
_FILL = """
INSERT INTO accounts_user (id, password, is_superuser, kind, email, language, theme, is_active, is_staff, created_at)
  SELECT md5('user' || n)::uuid, '', false, 'person', 'u' || n || '@example.org', '', 'system', true, false, now()
  FROM generate_series(1, 50) n;
INSERT INTO accounts_member (id, created_at, organization_id, user_id, role_id, name, title, about)
  SELECT md5('member' || n)::uuid, now(), r.organization_id, md5('user' || n)::uuid, r.id, 'Person ' || n, '', ''
  FROM accounts_role r, generate_series(1, 50) n WHERE r.organization_id = %(o)s AND r.key = 'member';
INSERT INTO accounts_scope (id, created_at, organization_id, kind, audience)
  SELECT md5('scope' || n)::uuid, now(), %(o)s, 'conversation', 'seats' FROM generate_series(1, 500) n;
INSERT INTO accounts_seat (id, created_at, organization_id, scope_id, principal_id, joined_at)
  SELECT gen_random_uuid(), now(), %(o)s, md5('scope' || n)::uuid, md5('user' || p)::uuid, now()
  FROM generate_series(1, 500) n, generate_series(1, 20) p;
INSERT INTO chat_conversation (id, created_at, organization_id, kind, name, description, scope_id, is_private, people_key)
  SELECT md5('conversation' || n)::uuid, now(), %(o)s, 'channel', 'channel ' || n, '', md5('scope' || n)::uuid, true, ''
  FROM generate_series(1, 500) n;
INSERT INTO core_stream (id, organization_id, last_sequence)
  SELECT md5('conversation' || n)::uuid, %(o)s, %(m)s FROM generate_series(1, 500) n;
INSERT INTO chat_membership (id, created_at, organization_id, conversation_id, principal_id, last_read_sequence, is_muted,
    is_starred, joined_at)
  SELECT gen_random_uuid(), now(), %(o)s, md5('conversation' || n)::uuid, md5('user' || p)::uuid, %(m)s - 42,
    n %% 10 = 0, false, now() FROM generate_series(1, 500) n, generate_series(1, 20) p;
INSERT INTO chat_topic (id, created_at, organization_id, conversation_id, name)
  SELECT md5('topic' || n || '-' || t)::uuid, now(), %(o)s, md5('conversation' || n)::uuid, 'topic ' || t
  FROM generate_series(1, 500) n, generate_series(1, 10) t;
INSERT INTO chat_message (id, organization_id, conversation_id, scope_id, sequence, sender_id, client_key, body, html,
    mentions, version, sent_at, topic_id)
  SELECT md5('message' || n || '-' || s)::uuid, %(o)s, md5('conversation' || n)::uuid, md5('scope' || n)::uuid, s,
    md5('user' || (n + s) %% 20 + 1)::uuid, s::text, repeat('body ', 20), repeat('body ', 24), '{}', 1, now(),
    CASE WHEN s %% 3 > 0 THEN md5('topic' || n || '-' || s %% 10 + 1)::uuid END
  FROM generate_series(1, %(m)s) s, generate_series(1, 500) n;
INSERT INTO chat_mention (organization_id, conversation_id, message_id, principal_id, sequence)
  SELECT m.organization_id, m.conversation_id, m.id, md5('user7')::uuid, m.sequence
  FROM chat_message m WHERE m.sequence %% 50 = 0 AND m.sender_id <> md5('user7')::uuid;
INSERT INTO chat_topicpreference (id, created_at, organization_id, conversation_id, topic_id, principal_id, level)
  SELECT gen_random_uuid(), now(), %(o)s, md5('conversation' || n)::uuid, md5('topic' || n || '-1')::uuid,
    md5('user7')::uuid, CASE WHEN n %% 20 = 0 THEN 'muted' ELSE 'followed' END FROM generate_series(10, 500, 10) n;
INSERT INTO chat_readmark (id, created_at, organization_id, conversation_id, principal_id, place, sequence)
  SELECT gen_random_uuid(), now(), %(o)s, md5('conversation' || n)::uuid, md5('user7')::uuid,
    md5('topic' || n || '-2')::uuid, %(m)s - 20 FROM generate_series(10, 500, 10) n;
"""


def run(size: str) -> None:
    """Print the figures."""
    servers = start_servers()
    try:
        os.environ.update(servers.environment())
        os.environ["DJANGO_SETTINGS_MODULE"] = "chatsystem.settings.test"
        import django

        django.setup()
        _as_role("CHATSYSTEM_DATABASE_OWNER_URL", _migrate)
        organization_id = _organization()
        _as_role("CHATSYSTEM_DATABASE_OWNER_URL", lambda: _fill(organization_id, MESSAGES[size]))
        _measure(organization_id, ROUNDS[size])
    finally:
        from django.db import connections

        connections.close_all()
        servers.closing.close()


def _fill(organization_id: UUID, messages: int) -> None:
    from django.db import connection, transaction

    from apps.core import tenancy

    with tenancy.use(organization_id), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        for statement in _FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"o": organization_id, "m": messages})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    progress(f"500 conversations with {messages} messages each")


def _measure(organization_id: UUID, rounds: int) -> None:
    from django.db import connection

    from apps.accounts.selectors.principals import principal_of_member
    from apps.chat.selectors import unread
    from apps.chat.selectors.conversations import list_conversations
    from apps.core import tenancy

    with tenancy.use(organization_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT md5('user7')::uuid")
            (user_id,) = cursor.fetchone()
        principal = principal_of_member(organization_id=organization_id, user_id=user_id)
        found = unread.totals(principal)
        listed = list_conversations(principal)
        if found.unread != sum(row.counted for row in listed) or not found.unread:
            raise RuntimeError(f"totals {found} are not the sum of the list")
        progress(f"{len(listed)} conversations, {found.unread} unread, {found.mentions} mentions")
        statement, named = unread.totals_statement(principal)
        figure(
            bench="unread", name="totals_database_p50", value=middle(_planned(statement, named, rounds)), unit="ms",
            goal=GOAL_MS,
        )  # fmt: skip
        times = _times(lambda: unread.totals(principal), rounds)
        figure(bench="unread", name="totals_p50", value=middle(times), unit="ms", goal=GOAL_MS)
        figure(bench="unread", name="totals_p95", value=percentile(times, 0.95), unit="ms")
        times = _times(lambda: list_conversations(principal), rounds)
        figure(bench="unread", name="list_p50", value=middle(times), unit="ms")

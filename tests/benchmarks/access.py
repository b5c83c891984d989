"""What a decision costs: a permission, one thing, and a page of 50 with 200,000 seats, in the database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chatsystem.testing.servers import start_servers
from tests.benchmarks.audit import _as_role, _migrate, _organization
from tests.benchmarks.figures import figure, middle, percentile, progress

ROUNDS = {"quick": 400, "standard": 2000, "full": 10_000}
GOAL_MS, PAGE_GOAL_MS = 1.0, 5.0
SCOPES, SEATS = 20_000, 200_000
# 2000 people, each in 100 of 20,000 conversations; one message in each.
_FILL = """
INSERT INTO accounts_user (id, password, is_superuser, kind, email, language, theme, is_active, is_staff, created_at)
  SELECT md5('user' || n)::uuid, '', false, 'person', 'u' || n || '@example.org', '', 'system', true, false, now()
  FROM generate_series(1, 2000) n;
INSERT INTO accounts_member (id, created_at, organization_id, user_id, role_id, name, title, about)
  SELECT md5('member' || n)::uuid, now(), r.organization_id, md5('user' || n)::uuid, r.id, 'Person ' || n, '', ''
  FROM accounts_role r, generate_series(1, 2000) n WHERE r.organization_id = %(o)s AND r.key = 'member';
INSERT INTO accounts_scope (id, created_at, organization_id, kind, audience)
  SELECT md5('scope' || n)::uuid, now(), %(o)s, 'conversation', 'seats' FROM generate_series(1, 20000) n;
INSERT INTO accounts_seat (id, created_at, organization_id, scope_id, principal_id, joined_at)
  SELECT gen_random_uuid(), now(), %(o)s, md5('scope' || (n * 10 + c * 200) %% 20000 + 1)::uuid,
    md5('user' || n)::uuid, now() FROM generate_series(1, 2000) n, generate_series(1, 100) c;
INSERT INTO chat_conversation (id, created_at, organization_id, kind, name, description, scope_id, is_private, people_key)
  SELECT md5('conversation' || n)::uuid, now(), %(o)s, 'channel', 'channel ' || n, '', md5('scope' || n)::uuid, true, ''
  FROM generate_series(1, 20000) n;
INSERT INTO chat_message (id, organization_id, conversation_id, scope_id, sequence, sender_id, client_key, body, html,
    mentions, version, sent_at)
  SELECT md5('message' || n)::uuid, %(o)s, md5('conversation' || n)::uuid, md5('scope' || n)::uuid, 1,
    md5('user1')::uuid, '1', 'body', 'body', '{}', 1, now() FROM generate_series(1, 20000) n;
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
        _as_role("CHATSYSTEM_DATABASE_OWNER_URL", lambda: _fill(organization_id))
        _measure(organization_id, ROUNDS[size])
    finally:
        from django.db import connections

        connections.close_all()
        servers.closing.close()


def _fill(organization_id: UUID) -> None:
    from django.db import connection, transaction

    from apps.core import tenancy

    with tenancy.use(organization_id), transaction.atomic(), connection.cursor() as cursor:
        for statement in _FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"o": organization_id})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _measure(organization_id: UUID, rounds: int) -> None:
    from django.db import connection

    from apps.accounts.selectors.principals import principal_of_member
    from apps.accounts.services import access
    from apps.accounts.types import ObjectRef
    from apps.chat.models import Conversation
    from apps.chat.selectors.conversations import visible_conversations
    from apps.core import tenancy

    with tenancy.use(organization_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT md5('user7')::uuid, md5('message71')::uuid, md5('message72')::uuid")
            user_id, seen, unseen = cursor.fetchone()
        principal = principal_of_member(organization_id=organization_id, user_id=user_id)
        seen_ref, unseen_ref = ObjectRef("message", seen), ObjectRef("message", unseen)
        if not access.can(principal, "message.read", seen_ref):
            raise RuntimeError("the measured person does not see its message")
        if access.can(principal, "message.read", unseen_ref):
            raise RuntimeError("the measured person sees a foreign message")
        _tell("permission", _times(lambda: access.can(principal, "message.send"), rounds), GOAL_MS)
        _tell("thing_seen", _times(lambda: access.can(principal, "message.read", seen_ref), rounds), GOAL_MS)
        _tell(
            "thing_unseen", _times(lambda: access.can(principal, "message.read", unseen_ref), rounds), GOAL_MS
        )
        page = visible_conversations(principal).order_by("-id")[:50]
        if len(page) != 50:
            raise RuntimeError(f"the page has {len(page)} rows")
        seats = Conversation.objects.filter(organization_id=organization_id).count()
        progress(f"{seats} conversations, {SEATS} seats")
        sql, params = page.query.sql_with_params()
        figure(
            bench="access", name="page_of_50_database_p50", value=middle(_planned(sql, params, max(50, rounds // 10))),
            unit="ms", goal=PAGE_GOAL_MS,
        )  # fmt: skip


def _times(work: Callable[[], Any], rounds: int) -> list[float]:
    found = []
    for number in range(rounds + 50):
        begun = time.perf_counter()
        work()
        if number >= 50:
            found.append((time.perf_counter() - begun) * 1000)
    return found


def _tell(name: str, times: list[float], goal: float) -> None:
    figure(bench="access", name=f"{name}_p50", value=middle(times), unit="ms", goal=goal)
    figure(bench="access", name=f"{name}_p95", value=percentile(times, 0.95), unit="ms")


def _planned(sql: str, params: Any, rounds: int) -> list[float]:
    """Return planning and execution times that PostgreSQL itself reports."""
    import json

    from django.db import connection

    found = []
    for _ in range(rounds):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            (plan,) = cursor.fetchone()
        (told,) = json.loads(plan) if isinstance(plan, str) else plan
        found.append(float(told["Planning Time"]) + float(told["Execution Time"]))
    progress(f"planning {told['Planning Time']} ms, execution {told['Execution Time']} ms")
    return found

"""The hot statements use indexes behind the walls: no sequential scan of a large table, asked as the runtime role.

An operator that is not leakproof may not enter an index before the policy, and a wrong estimate makes a scan look
cheap; both show here. What PostgreSQL counted in the transaction is judged, so functions are seen from inside too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Member
from apps.accounts.selectors import people, principals, seats
from apps.accounts.selectors.members import list_members
from apps.accounts.types import Principal
from apps.agents.selectors import answers
from apps.chat.selectors import conversations, messages, pages, resuming, unread, waiting
from apps.chat.selectors.channels import list_directory
from apps.chat.selectors.topics import list_topics
from apps.chat.services import reading
from apps.chat.services.messages import send_message
from apps.core import tenancy, walls
from apps.core.models import Event
from apps.documents.selectors.documents import count_being_read, list_documents
from apps.elyza.types import QueryEmbedding
from apps.files.selectors.files import list_files, openable_files
from apps.rag.selectors import ranking, traces
from apps.rag.selectors.search import search
from apps.rag.services.embedding import refresh_terms
from apps.runs.selectors import runs
from apps.runs.services import recovery
from tests.conftest import owner_connection
from tests.factories.accounts import OrganizationFactory, api_key, principal_of
from tests.factories.volume import fill
from tests.security.realm import committed
from tests.walls import everywhere

LARGE = 1000  # rows; below, reading the whole table is what a good plan does
ORGANIZATIONS = 8
_SCANS = """
SELECT coalesce(i.inhparent::regclass::text, s.relname), sum(s.seq_scan), max(s.n)
FROM (SELECT x.relid, x.relname, x.seq_scan, c.reltuples AS n FROM pg_stat_xact_user_tables x
  JOIN pg_class c ON c.oid = x.relid WHERE x.seq_scan > 0) s
LEFT JOIN pg_inherits i ON i.inhrelid = s.relid GROUP BY 1 ORDER BY 1
"""
_ROWS = "SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)"


@pytest.fixture(scope="module")
def viewer(django_db_setup: None, django_db_blocker: Any) -> Iterator[Principal]:
    """One of 1600 people in eight organizations, all of whose large tables have rows and statistics."""
    with django_db_blocker.unblock(), committed():
        organizations = [OrganizationFactory() for _ in range(ORGANIZATIONS)]
        with everywhere(), transaction.atomic(), connection.cursor() as cursor:
            fill(cursor, [organization.pk for organization in organizations])
        with owner_connection() as owner:
            owner.execute("ANALYZE")
        with tenancy.use(organizations[1].pk):
            yield principal_of(Member.objects.get(name="Person 7"))


def counted() -> dict[str, int]:
    """Return how often each large walled table was read from end to end so far."""
    with connection.cursor() as cursor:
        cursor.execute(_SCANS)
        rows = cursor.fetchall()
    return {table: times for table, times, n in rows if n >= LARGE and table in walls.walled_tables()}


def scans(call: Callable[[], Any]) -> tuple[dict[str, str], Any]:
    """Run the call; return the large walled tables that were read from end to end, with the plans, and its answer."""
    with transaction.atomic():
        before = counted()
        with CaptureQueriesContext(connection) as captured:
            answer = call()
        read = {table for table, times in counted().items() if times > before.get(table, 0)}
        transaction.set_rollback(True)
    return {table: plans(captured, table) for table in read}, answer


def plans(captured: CaptureQueriesContext, table: str) -> str:
    """Explain the captured statements that name the table, for the message of a failure."""
    found = []
    for query in captured.captured_queries:
        sql = re.sub(r"^SELECT set_config\([^;]*\);", "", query["sql"])
        is_read = sql.lstrip().upper().startswith(("SELECT", "WITH"))
        if sql.startswith("EXECUTE") or (is_read and walls.find_walled_table(sql) and table in sql):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
                found.append(sql + "\n" + "\n".join(line for (line,) in cursor.fetchall()))
    return "\n\n".join(found) or "inside a function"


def first_conversation(viewer: Principal) -> UUID:
    return min(conversations.heads(viewer))


def draft(viewer: Principal, conversation: UUID) -> str:
    return json.dumps([{
        "id": str(uuid4()), "organization": str(viewer.organization_id), "conversation": str(conversation),
        "sender": str(viewer.id), "client_key": "new", "thread": None, "body": "b", "html": "b",
        "mentions": [str(viewer.id)], "everyone": True, "attachments": [], "card": None, "person": {}, "trace": "",
        "sent_at": None,
    }])  # fmt: skip


def call(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give questions the vector that some of the chunks have."""
    import numpy as np

    monkeypatch.setattr(
        ranking,
        "_embedding",
        lambda _: QueryEmbedding(
            np.full(384, 0.05, np.float32), "test-1", tokens=np.full((5, 384), 0.05, np.float16)
        ),
    )


def console_searches(viewer: Principal, which: Any) -> list[Any]:
    inspector = replace(viewer, permissions=viewer.permissions | {traces.INSPECT})
    return traces.list_searches(inspector, which=which, offset=0, limit=51)


HOT: dict[str, Callable[[Principal, UUID], Any]] = {
    "newest messages": lambda me, c: pages.message_page(principal=me, conversation_id=c, anchor="newest").messages,
    "messages at the marker": lambda me, c: pages.message_page(principal=me, conversation_id=c).messages,
    "conversation list": lambda me, _: conversations.list_conversations(me, include_archived=True),
    "browsing channels": lambda me, _: conversations.list_channels(me),
    "directory of channels": lambda me, _: list_directory(me, query="channel"),
    "unread totals": lambda me, _: unread.totals(me),
    "topics": list_topics,
    "messages of a topic": lambda me, c: pages.message_page(
        principal=me, conversation_id=c, topic=list_topics(me, c)[0].id
    ).messages,
    "why unread": lambda me, _: waiting.explain(me),
    "heads": lambda me, _: conversations.heads(me),
    "mentions": lambda me, _: messages.mentions_of(me),
    "members of a conversation": conversations.members,
    "read to the end": lambda me, c: reading.move_marker(principal=me, conversation_id=c, sequence=15),
    "send": lambda me, c: call("SELECT * FROM chat_send_batch(%s)", draft(me, c)),
    "send through the service": lambda me, c: send_message(
        principal=me, conversation_id=c, body="hello @everyone", client_key="k", confirm_mass_mention=True
    ),
    "history of a stream": lambda me, c: call(
        resuming._MISSED, [c], [3], me.organization_id, 500
    ),
    "replay": lambda me, c: list(Event.objects.filter(organization_id=me.organization_id, stream_id=c, sequence__gt=3)),
    "runs": lambda me, _: list(runs.list_runs(principal=me)[:50]),
    "documents": lambda me, _: list(list_documents(principal=me)[:50]),
    "documents being read": lambda me, _: count_being_read(me) == 0,  # mostly none is
    "own files": lambda me, _: list(list_files(me)[:50]),
    "openable file": lambda me, _: list(openable_files(me).order_by("-pk")[:1]),
    "people by name": lambda me, _: people.find_by_name(principal=me, prefix="Person 2"),
    "people of messages": lambda me, _: people.people([me.id]),
    "members": lambda me, _: list_members(me),
    "answers": lambda me, _: answers.list_own(me) or True,
    "session": lambda me, _: principals.principal_for_session(
        user_id=me.id, slug=me.organization_slug, session=""
    ),
    "those whose turn it is": lambda me, _: principals.look_again([me], {(me.id, me.session): None}),
    "own organizations": lambda me, _: seats.organizations_of(me.id),
    "search by words": lambda me, _: search(principal=me, query="w7 common").hits,
    "search for what messages carry": lambda me, _: search(principal=me, query="has:reaction -has:link").hits,
    "search in a conversation": lambda me, c: search(
        principal=me, query="is:unread -from:me in:" + f'"{conversations.get_conversation(me, c).name}"'
    ).hits,
    "own searches": lambda me, _: list(traces.own_searches(me)),
    "searches in the console": lambda me, _: console_searches(me, ""),
    "slow searches": lambda me, _: console_searches(me, "slow"),
    "searches without a hit": lambda me, _: console_searches(me, "empty"),
    "searches with a bad hit": lambda me, _: console_searches(me, "bad"),
    "search for a word with operators": lambda me, _: search(principal=me, query="spoken has:reaction").hits,
}  # fmt: skip


def test_hot_statements_read_no_large_table_from_end_to_end(
    viewer: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = first_conversation(viewer)
    refresh_terms()
    found = {}
    for name, hot in HOT.items():
        read, answer = scans(lambda hot=hot: hot(viewer, conversation))  # type: ignore[misc]
        assert answer, f"{name} found nothing: the statement was not the hot one"
        found |= {f"{name}: {table}": plan for table, plan in read.items()}
    in_mind(monkeypatch)
    read, result = scans(lambda: search(principal=viewer, query="w7 common"))
    assert result.hits
    assert not result.words_only
    found |= {f"search by meaning: {table}": plan for table, plan in read.items()}
    assert not found, "\n\n".join(f"{name}\n{plan}" for name, plan in found.items())


def test_a_scan_is_seen_and_large_tables_are_large(viewer: Principal) -> None:
    """The control: a statement without an index is found."""
    with everywhere():
        read, _ = scans(lambda: call("SELECT count(*) FROM chat_message WHERE body LIKE '%%x%%'"))
    assert set(read) == {"chat_message"}
    assert "Seq Scan" in read["chat_message"]
    for table in (
        "accounts_member", "accounts_scope", "accounts_seat", "chat_conversation", "chat_membership", "chat_message",
        "chat_mention", "chat_reaction", "core_stream", "runs_run", "runs_step", "files_storedfile", "files_filescope",
        "documents_document", "documents_documentpage", "rag_chunk", "rag_chunktokens", "chat_attachment", "chat_draft",
        "rag_searchtrace", "rag_searchthumb",
    ):  # fmt: skip
        ((rows,),) = call(_ROWS, table)
        assert rows >= LARGE, table


def test_the_relay_and_keys_read_no_large_table_either(viewer: Principal) -> None:
    key = api_key(Member.objects.get(user_id=viewer.id))
    read, found = scans(lambda: principals.principal_for_key(key.secret))
    assert (read, found.id) == ({}, viewer.id)
    with everywhere():
        for duty in (recovery.recover_lost, recovery.poke_due):
            read, _ = scans(duty)
            assert read == {}

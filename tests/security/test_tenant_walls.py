"""SEC-23: tenant walls stand even if the code forgets. Every table, every verb, every way to run a statement.

Controls: the own organization sees its row, the platform role sees all, and a table without a wall is found.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.utils import ConnectionHandler
from django.utils import timezone
from psycopg.pq import TransactionStatus

from apps.accounts.models import Invitation, Member, Role, Seat
from apps.accounts.selectors.principals import hash_secret
from apps.chat.models import Message
from apps.core import tenancy, walls
from apps.core.ids import uuid7
from apps.core.migrations_support import POLICY
from apps.core.services.database_roles import existing_roles, missing_walls
from apps.core.threads import in_thread
from tests.chat.world import make_world
from tests.conftest import owner_connection
from tests.factories.accounts import MemberFactory, api_key
from tests.walls import everywhere

HERE, ELSEWHERE = UUID(int=71), UUID(int=72)
TABLES = sorted(walls.walled_tables())
_ROWS = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
    SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s AND p.polpermissive AND p.polcmd = '*'
      AND p.polroles = '{0}' AND pg_get_expr(p.polqual, c.oid) = pg_get_expr(p.polwithcheck, c.oid)
      AND pg_get_expr(p.polqual, c.oid) LIKE
        '(organization_id = ( SELECT %%current_setting(''app.organization''::text, true)%%'
  ) AND 1 = (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
  EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1
"""
_VALUES = {
    "uuid": "gen_random_uuid()", "text": "'x'", "character varying": "'x'", "integer": "1",
    "bigint": "(random() * 1e9)::bigint", "smallint": "1",
    "boolean": "false", "timestamp with time zone": "now()", "date": "current_date", "jsonb": "'{}'",
    "bytea": "decode(md5(random()::text), 'hex')",
    "numeric": "0", "double precision": "0", "real": "0", "tsvector": "''", "inet": "'127.0.0.1'",
}  # fmt: skip
# What check constraints ask for.
_CHECKED = {
    "core_auditentry": {"outcome": "'done'"},
    "accounts_scopedrole": {"principal_id": "gen_random_uuid()"},
    "files_storedfile": {"received_bytes": "0"},
    "runs_run": {"lease_owner": "''"},
    "security_legalhold": {"subject_id": "gen_random_uuid()", "target_kind": "''"},
    "security_privacyrequest": {"kind": "'export'", "state": "'running'"},
    "rag_chunk": {"model_version": "''"},
    "rag_synonymset": {"terms": "'{a,b}'", "language": "''"},
}


def unwalled() -> list[str]:
    """Return what is wrong with the tables of the catalogue: neither walled nor named as outside, or both."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [POLICY])
        rows = cursor.fetchall()
    wrong = []
    for table, is_walled, has_organization in rows:
        if table in walls.OUTSIDE and is_walled:
            wrong.append(f"{table} is walled and named as outside")
        if table not in walls.OUTSIDE and not has_organization:
            wrong.append(f"{table} has no organization_id and no reason in apps/core/walls.py")
        if table not in walls.OUTSIDE and has_organization and not is_walled:
            wrong.append(f"{table} has no forced policy: walled({table!r}) in a migration")
    return wrong


def values_of(table: str, organization: UUID) -> dict[str, str]:
    """Return SQL expressions for a row: what may not be null, the rest by default. Keys are checked at the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
            [table],
        )
        columns = cursor.fetchall()
    found = {name: "'{}'" if kind == "ARRAY" else _VALUES[kind] for name, kind in columns}
    return {**found, **_CHECKED.get(table, {}), "organization_id": f"'{organization}'"}


def insert(table: str, organization: UUID) -> int:
    """Insert a made-up row; returns how many were written."""
    values = values_of(table, organization)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values.values())})"
        )
        return int(cursor.rowcount)


def changed(statement: str) -> int:
    """Run a statement that may be refused outright, by a missing grant or by the policy; return the rows touched."""
    with suppress(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
    return 0


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.fixture
def silent(settings: Any) -> None:
    """As in production: outside every organization nothing is raised, and nothing is seen."""
    settings.WALLS_RAISE = False


@pytest.fixture
def rolled_back(db: None) -> Iterator[None]:
    """Rows that point nowhere must not reach a commit."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_table_is_walled_or_named_with_a_reason(db: None) -> None:
    assert unwalled() == []
    assert all(walls.OUTSIDE.values())
    assert len(TABLES) > 30


def test_a_table_without_a_wall_is_found(transactional_db: None) -> None:
    with owner_connection() as owner:
        owner.execute("CREATE TABLE walls_control (id int, organization_id uuid)")
        owner.execute("CREATE TABLE walls_control_without (id int)")
        try:
            assert len(unwalled()) == 2
            owner.execute("ALTER TABLE walls_control ENABLE ROW LEVEL SECURITY")
            owner.execute(f"CREATE POLICY {POLICY} ON walls_control USING (true)")
            owner.execute("ALTER TABLE walls_control FORCE ROW LEVEL SECURITY")
            assert len(unwalled()) == 2
        finally:
            owner.execute("DROP TABLE walls_control, walls_control_without")


def test_the_list_of_the_code_is_the_list_of_the_database(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = %s ORDER BY 1", [POLICY]
        )
        assert [table for (table,) in cursor.fetchall()] == TABLES


def test_no_key_points_into_another_organization(db: None) -> None:
    """Foreign keys look past policies, so those between walled tables carry the organization."""
    wanted = {
        (model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and {model._meta.db_table, field.related_model._meta.db_table} <= set(TABLES)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text FROM pg_constraint c"
            " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)"
            " WHERE c.contype = 'f' AND cardinality(c.conkey) > 1 AND EXISTS (SELECT FROM pg_attribute o"
            "  WHERE o.attrelid = c.conrelid AND o.attnum = ANY (c.conkey) AND o.attname = 'organization_id')"
        )
        found = set(cursor.fetchall())
    assert wanted - found == set()
    assert len(wanted) > 20


def test_the_runtime_role_owns_nothing_and_passes_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("chat_app", False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'chat_app'::regrole")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'"
            " AND has_table_privilege('chat_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
        )
        assert cursor.fetchall() == []  # a partition is read through its parent only
        cursor.execute("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'")
        assert cursor.fetchone()[0] >= 3  # the control
    assert (len(existing_roles()), missing_walls()) == (3, [])


def test_definer_functions_are_owned_and_granted_as_few(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, pg_get_userbyid(p.proowner), coalesce(array_to_string(p.proconfig, ','), ''),"
            " p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)"
            " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef"
        )
        rows = cursor.fetchall()
    assert len(rows) >= 10
    for name, owner, settings, is_public in rows:
        assert (name, is_public) == (name, False)
        assert "search_path=public, pg_temp" in settings, name
        assert owner == (
            "chat_owner" if name in ("core_make_partitions", "core_drop_consumed_feed") else "chat_writer"
        )


@pytest.mark.parametrize("table", TABLES)
def test_each_verb_stops_at_the_wall(rolled_back: None, silent: None, table: str) -> None:
    with everywhere():
        assert (insert(table, HERE), insert(table, ELSEWHERE)) == (1, 1)
        assert count(table) >= 2  # the control: both are there
    for context in (tenancy.nobody(), tenancy.use(uuid4())):
        with context:
            assert count(table) == 0
            assert changed(f"UPDATE {table} SET organization_id = organization_id") == 0
            assert changed(f"DELETE FROM {table}") == 0
            for target in (HERE, ELSEWHERE):
                with pytest.raises(ProgrammingError), transaction.atomic():
                    insert(table, target)
    with tenancy.use(HERE):
        assert count(table) == 1
        assert changed(f"UPDATE {table} SET organization_id = '{ELSEWHERE}'") == 0  # no row moves across
        assert changed(f"DELETE FROM {table} WHERE organization_id = '{ELSEWHERE}'") == 0
    with everywhere():
        assert count(table) >= 2


def test_a_statement_outside_every_organization_is_shown_as_an_error(db: None) -> None:
    ada = MemberFactory()
    with tenancy.use(ada.organization_id):
        lazy = Member.objects.filter(pk=ada.pk)
    for statement in (
        lambda: list(lazy),
        lambda: Member.objects.create(organization=ada.organization, user=ada.user, role=ada.role, name="x"),
        lambda: lazy.update(name="x"),
        lazy.delete,
        Seat.objects.exists,
    ):
        with pytest.raises(tenancy.OrganizationUnset), transaction.atomic():
            statement()
    with tenancy.use(ada.organization_id):
        assert [one.name for one in lazy] == [ada.name]


def test_in_production_it_is_silent_and_empty(db: None, silent: None) -> None:
    ada = MemberFactory()
    assert list(Member.objects.filter(pk=ada.pk)) == []
    assert Member.objects.filter(pk=ada.pk).update(name="changed") == 0
    assert Member.objects.filter(pk=ada.pk).delete()[0] == 0
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Member.objects.create(organization=ada.organization, user=ada.user, role=ada.role, name="x")
    with tenancy.use(ada.organization_id):
        assert Member.objects.get().name == ada.name


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ('SELECT 1 FROM "chat_message" m', "chat_message"),
        ("  with x as (select 1 from core_event) select * from x", "core_event"),
        ("(SELECT 1 FROM accounts_user) UNION (SELECT 1 FROM accounts_scope)", "accounts_scope"),
        ("SELECT * FROM core_record_event(1)", None),
        ("TRUNCATE chat_message", None),
        ("SELECT 1 FROM accounts_user", None),
        ("SELECT 1 FROM chat_messages_of_somebody", None),
    ],
)
def test_walled_tables_are_found_by_name(sql: str, table: str | None) -> None:
    assert walls.find_walled_table(sql) == table


# -- Functions that run past the walls -------------------------------------------------------------------------------


def test_search_finds_nothing_without_an_organization(db: None, silent: None) -> None:
    words = "'en', '{0}', '{en}', '{word}', '{1}', '{}', '{}', NULL, '', '{}', 9"
    call = f"SELECT count(*) FROM rag_search(%s::uuid[], {words})"
    with connection.cursor() as cursor:
        cursor.execute(call, [[uuid4()]])
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT rag_refresh_terms()")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("organization", ["none", "foreign", "open elsewhere"])
def test_a_batch_stores_nothing_past_the_wall(db: None, silent: None, organization: str) -> None:
    world, other = make_world("here"), make_world("there")
    with world.use():
        anna = world.person("Anna")
        channel = world.channel(anna, "harbour")
    draft = {
        "id": str(uuid7()), "organization": str(world.organization.pk), "conversation": str(channel),
        "sender": str(anna.id), "client_key": "k", "thread": None, "body": "b", "html": "b", "mentions": [],
        "everyone": False, "attachments": [], "card": None, "person": {}, "trace": "", "sent_at": None,
    }  # fmt: skip
    if organization == "none":
        draft["organization"] = None
    if organization == "foreign":
        draft["organization"] = str(other.organization.pk)
    context = tenancy.use(other.organization.pk) if organization == "open elsewhere" else tenancy.nobody()
    with context, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM chat_send_batch(%s)", [json.dumps([draft])])
        assert cursor.fetchall() == []
    with everywhere():
        assert not Message.objects.exists()
    with world.use():  # the control
        assert world.say(anna, channel).sequence > 0


def test_look_ups_before_the_organization_tell_ids_only(db: None) -> None:
    ada = MemberFactory()
    key = api_key(ada)
    with tenancy.use(ada.organization_id):
        invitation = Invitation.objects.create(
            organization=ada.organization, email="a@example.org", role=ada.role, hash=hash_secret("s"),
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_find_key(%s)", [hash_secret(key.secret)])
        assert cursor.fetchall() == [(ada.organization_id, key.row.pk)]
        cursor.execute("SELECT * FROM accounts_find_invitation(%s)", [hash_secret("s")])
        assert cursor.fetchall() == [(invitation.organization_id,)]
        cursor.execute("SELECT * FROM accounts_seats_of(%s)", [ada.user_id])
        assert cursor.fetchall() == [(ada.organization_id, ada.pk, True)]
        for name in ("accounts_find_key", "accounts_find_invitation"):
            cursor.execute(f"SELECT count(*) FROM {name}(%s) x WHERE x IS NOT NULL", [hash_secret("unknown")])
            assert cursor.fetchone() == (0,)


# -- Contexts: the organization goes with the statement ----------------------------------------------------------------


@pytest.fixture
def two(transactional_db: None) -> tuple[Member, Member]:
    """A member in each of two organizations, committed."""
    return MemberFactory(name="Ada"), MemberFactory(name="Bob")


def names() -> set[str]:
    return set(Member.objects.values_list("name", flat=True))


def test_threads_on_a_small_pool_see_their_own_organization_only(two: tuple[Member, Member]) -> None:
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 1, "max_size": 4, "timeout": 10}}
    pooled = ConnectionHandler({"default": {**connection.settings_dict, "OPTIONS": options}})
    start = Barrier(8)

    def look(mine: Member) -> frozenset[str]:
        """Take a connection that others had before, and give it back."""
        try:
            with tenancy.use(mine.organization_id), pooled["default"].cursor() as cursor:
                cursor.execute("SELECT name FROM accounts_member")
                return frozenset(name for (name,) in cursor.fetchall())
        finally:
            pooled["default"].close()

    def work(number: int) -> set[frozenset[str]]:
        start.wait(10)
        return {look(two[number % 2]) for _ in range(20)}

    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(work, range(8)))
    finally:
        pooled["default"].close_pool()
    assert found == [{frozenset({two[number % 2].name})} for number in range(8)]


async def test_tasks_of_one_loop_see_their_own_organization_only(two: tuple[Member, Member]) -> None:
    async def work(mine: Member) -> set[str]:
        with tenancy.use(mine.organization_id):
            await asyncio.sleep(0)
            first = await in_thread(names)
            await asyncio.sleep(0)
            return first | await in_thread(names)

    found = await asyncio.gather(*(work(two[number % 2]) for number in range(50)))
    assert found == [{two[number % 2].name} for number in range(50)]


def test_clients_that_share_a_connection_leave_nothing_behind(
    two: tuple[Member, Member], silent: None
) -> None:
    """A pooler in transaction mode gives one server connection to many clients, statement by statement."""
    connection.ensure_connection()
    raw = connection.connection
    for _ in range(3):
        for mine in two:
            with tenancy.use(mine.organization_id):
                assert names() == {mine.name}
            assert raw.info.transaction_status == TransactionStatus.IDLE
            # the next client, which sets nothing: psycopg's own, past our wrapper
            assert raw.execute("SELECT count(*) FROM accounts_member").fetchone() == (0,)
            assert names() == set()


def test_a_transaction_follows_the_context_and_savepoints_leak_nothing(two: tuple[Member, Member]) -> None:
    ada, bob = two
    with transaction.atomic(), tenancy.use(ada.organization_id):
        with transaction.atomic(), tenancy.use(bob.organization_id):
            assert names() == {"Bob"}
        assert names() == {"Ada"}
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            tenancy.use(bob.organization_id),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT 1/0")
        assert names() == {"Ada"}
        with tenancy.nobody(), pytest.raises(tenancy.OrganizationUnset):
            names()
        assert names() == {"Ada"}


def test_many_rows_at_once_stay_inside(two: tuple[Member, Member]) -> None:
    ada, bob = two
    with tenancy.use(ada.organization_id):
        with pytest.raises(ProgrammingError, match="row-level security"):
            Role.objects.bulk_create(
                [Role(organization=one.organization, key="x", name="x", permissions=[]) for one in (ada, bob)]
            )
        assert not Role.objects.filter(key="x").exists()
        with transaction.atomic():
            assert {one.name for one in Member.objects.all().iterator(chunk_size=1)} == {"Ada"}

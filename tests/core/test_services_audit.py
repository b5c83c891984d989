"""The trail: with its change or not at all, refused acts in spite of the rollback, and nobody edits it."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from structlog.contextvars import bound_contextvars

from apps.core import origin, tenancy
from apps.core.auditing import actions, sealing
from apps.core.models import AuditEntry
from apps.core.services import audit
from tests.conftest import owner_connection, role_connection
from tests.core.events import ORGANIZATION
from tests.core.trail import ACTOR, TESTED, act, entries
from tests.walls import everywhere

OTHER = UUID(int=8)


def test_an_entry_says_who_what_from_where_and_for_whom(db):
    with bound_contextvars(request_id="r1"), origin.use(address="192.0.2.7", session="s1"):
        act(
            on_behalf_of=UUID(int=3),
            object_type="message",
            object_id=UUID(int=4),
            details={"role": "owner", "count": 2, "share": 1.5, "chunks": [1, 2], "none": None},
            person="anna@example.org",
        )
    [entry] = entries()
    assert (entry.action, entry.outcome, entry.actor_id) == (TESTED, "done", ACTOR)
    assert (entry.on_behalf_of, entry.object_type, entry.object_id) == (
        UUID(int=3),
        "message",
        str(UUID(int=4)),
    )
    assert (entry.request_id, entry.session, entry.address) == ("r1", "s1", "192.0.2.7")
    assert entry.details == {"role": "owner", "count": 2, "share": 1.5, "chunks": [1, 2], "none": None}
    assert (entry.person, entry.number, entry.hash) == ("anna@example.org", None, None)


def test_outside_a_transaction_nothing_is_recorded(transactional_db):
    with pytest.raises(audit.NotInTransaction):
        audit.record(organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR)
    assert entries() == []


def test_a_rolled_back_change_leaves_no_entry(transactional_db):
    with transaction.atomic():
        audit.record(organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR)
        transaction.set_rollback(True)
    assert entries() == []
    act()
    assert len(entries()) == 1


def test_a_refusal_survives_the_rollback_once(transactional_db):
    with origin.acting(session="s9"), transaction.atomic():
        audit.record(organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR)
        audit.record_refusal(organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR, reason="test.no")
        transaction.set_rollback(True)
    [entry] = entries()
    assert (entry.outcome, entry.details, entry.session) == ("refused", {"reason": "test.no"}, "s9")


def test_a_refusal_outside_a_transaction_is_written_at_once(transactional_db):
    with origin.acting() as opened:
        audit.record_refusal(
            organization_id=None, action=TESTED, actor_id=None, reason="test.no", outcome="failed"
        )
        assert opened.owed == []
        [entry] = entries(audit.PLATFORM)
    assert (entry.outcome, entry.actor_id) == ("failed", None)


def test_a_refusal_in_code_nobody_called_survives_too(transactional_db, monkeypatch):
    monkeypatch.setattr(origin, "find_current", lambda: None)
    with transaction.atomic():
        audit.record_refusal(organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR, reason="test.no")
        transaction.set_rollback(True)
    assert [entry.outcome for entry in entries()] == ["refused"]


def test_a_refusal_that_cannot_be_written_spoils_nothing_and_is_counted(transactional_db, caplog):
    before = origin.unwritten._value.get()
    with origin.acting() as opened:
        opened.owed.append(lambda: 1 / 0)
        with transaction.atomic():
            audit.record_refusal(
                organization_id=ORGANIZATION, action=TESTED, actor_id=ACTOR, reason="test.no"
            )
    assert len(entries()) == 1
    assert origin.unwritten._value.get() == before + 1
    assert "audit.refusal_not_written" in caplog.text


def test_an_undeclared_act_is_a_programming_error(db):
    with pytest.raises(actions.UnknownAction):
        act(action="test.never_declared")
    with pytest.raises(ValueError, match="declared already"):
        actions.register_action(TESTED, "Again")
    with pytest.raises(ValueError, match="malformed"):
        actions.register_action("Test", "Bad")
    assert entries() == []


@pytest.mark.parametrize(
    "details",
    [
        {"password": "x"}, {"new_email": "a@b"}, {"body": "hello"}, {"reset_token": "x"},
        {"ids": list(range(501))}, {"nested": {"a": 1}}, {"deep": [[1]]},
    ],
)  # fmt: skip
def test_private_or_long_details_are_refused(db, details):
    with pytest.raises(audit.UnfitDetail):
        act(details=details)
    assert entries() == []


def test_texts_nobody_can_store_are_made_storable(db):
    act(person="a\0b\ud800" + "x" * 400, details={"note": "\0\udfff" + "y" * 400}, object_id="\0")
    [entry] = entries()
    assert entry.person == ("ab?" + "x" * 400)[:299]
    assert entry.details["note"] == ("?" + "y" * 400)[:299]
    assert entry.object_id == ""


def test_an_organization_cannot_write_into_the_trail_of_another(db):
    with tenancy.use(OTHER), pytest.raises(audit.WrongOrganization):
        act()
    assert entries() == []
    with tenancy.use(OTHER):
        act(None)
        act(OTHER)
    assert [len(entries(one)) for one in (audit.PLATFORM, OTHER, ORGANIZATION)] == [1, 1, 0]


def test_without_an_organization_the_function_writes_nothing(db):
    values = ["test.done", "done", None, None, "", "", "", "", "{}", "", "", "", None, None]
    call = f"SELECT core_record_audit(gen_random_uuid(), {', '.join(['%s'] * len(values))})"
    with (
        tenancy.nobody(),
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="needs an organization"),
        transaction.atomic(),
    ):
        cursor.execute(call, values)
    with everywhere():
        assert not AuditEntry.objects.exists()
    with tenancy.use(ORGANIZATION), connection.cursor() as cursor:
        cursor.execute(call, values)  # control
    assert len(entries()) == 1


INSERT = """INSERT INTO core_auditentry (key, organization_id, created_at, action, outcome, object_type, object_id,
  request_id, session, details, address_reference, person_reference, seal)
  VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'a', 'done', '', '', '', '', '{}', '', '', '')"""
FORBIDDEN = [
    INSERT,
    "UPDATE core_auditentry SET actor_id = NULL",
    "UPDATE core_auditentry SET number = 1, hash = '', chained_at = now()",
    "DELETE FROM core_auditentry",
    "INSERT INTO core_auditchain VALUES (gen_random_uuid(), 1, '', now())",
    "UPDATE core_auditchain SET number = 0",
    "DELETE FROM core_auditchain",
]


@pytest.mark.parametrize("role", ["DATABASE_URL", "CHATSYSTEM_DATABASE_PLATFORM_URL"])
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_roles_of_the_product_cannot_touch_the_trail(db, role, statement):
    with (
        role_connection(role) as product,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        product.execute(statement)


@pytest.mark.parametrize("role", ["chat_app", "chat_platform", "chat_writer"])
def test_no_role_reaches_a_partition_past_its_parent(db, role):
    with owner_connection() as owner:
        granted = owner.execute(
            "SELECT c.relname, p.privilege FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,"
            " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (privilege)"
            " WHERE i.inhparent = 'core_auditentry'::regclass AND has_table_privilege(%s, c.oid, p.privilege)",
            [role],
        ).fetchall()
        partitions = owner.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'core_auditentry'::regclass"
        ).fetchone()
    assert granted == []
    assert partitions is not None
    assert partitions[0] >= 4


def test_the_writer_may_not_delete(db):
    with owner_connection() as owner:
        rights = owner.execute(
            "SELECT has_table_privilege('chat_writer', 'core_auditentry', 'DELETE'),"
            " has_table_privilege('chat_writer', 'core_auditentry', 'INSERT')"
        ).fetchone()
    assert rights == (False, True)


EDITS = [
    "UPDATE core_auditentry SET action = 'test.other'",
    "UPDATE core_auditentry SET address = '192.0.2.99'",
    "UPDATE core_auditentry SET address = NULL",
    "UPDATE core_auditentry SET number = 9, hash = 'x', chained_at = now()",
    "DELETE FROM core_auditentry",
]


@pytest.mark.parametrize("statement", EDITS)
def test_triggers_refuse_the_owner_too(transactional_db, statement):
    with origin.use(address="192.0.2.1"):
        act()
    with (
        owner_connection() as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        owner.execute(statement)
    with (
        owner_connection() as owner,
        owner.transaction(force_rollback=True),
    ):  # control: the trigger is what refuses
        owner.execute("ALTER TABLE core_auditentry DISABLE TRIGGER core_auditentry_keep")
        assert owner.execute(statement).rowcount == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'test.other'",
        "UPDATE core_auditentry SET address = '192.0.2.99'",
        "UPDATE core_auditentry SET number = 9, hash = 'x', chained_at = now(), action = 'test.other'",
    ],
)
def test_even_the_writer_may_fill_and_empty_its_columns_only(transactional_db, statement):
    with origin.use(address="192.0.2.1"):
        act()
    with owner_connection() as owner, owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL ROLE chat_writer")
        owner.execute("UPDATE core_auditentry SET address = NULL")  # control
    with owner_connection() as owner, owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL ROLE chat_writer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(statement)


def test_neither_the_table_nor_a_partition_is_truncated(transactional_db):
    with owner_connection() as owner:
        tables = [
            name
            for (name,) in owner.execute(
                "SELECT relname FROM pg_class"
                " WHERE relname ~ '^core_auditentry(_default|_[0-9]{6})?$' AND relkind IN ('r', 'p')"
            )
        ]
        assert len(tables) >= 4
        for table in tables:
            with owner.transaction(force_rollback=True):
                owner.execute(f"TRUNCATE {table}")  # control: the tests turn this trigger off
            with owner.transaction(force_rollback=True):
                owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER core_auditentry_stay")
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    owner.execute(f"TRUNCATE {table}")


def test_a_seal_and_a_reference_need_the_key(db, settings):
    with origin.use(address="192.0.2.7"):
        act(details={"a": 1, "b": [1.50, 1e3]})
    [entry] = entries()
    assert sealing.refers_to(entry.address_reference, "address", "192.0.2.7", organization_id=ORGANIZATION)
    assert not sealing.refers_to(
        entry.address_reference, "address", "192.0.2.8", organization_id=ORGANIZATION
    )
    assert not sealing.refers_to(entry.address_reference, "address", "192.0.2.7", organization_id=OTHER)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "k" * 60
    assert not sealing.refers_to(
        entry.address_reference, "address", "192.0.2.7", organization_id=ORGANIZATION
    )
    settings.SECRET_KEY_FALLBACKS = [old]
    assert sealing.refers_to(entry.address_reference, "address", "192.0.2.7", organization_id=ORGANIZATION)

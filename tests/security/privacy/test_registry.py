"""Every table and every column that names a person is announced: read from models and catalogue, not from a list."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, UUIDField

from apps.accounts.models import Member, User
from apps.core.data_subjects import Fate, impersonal_tables, subject_data, without
from apps.core.events.types import registered
from tests.walls import everywhere

# Columns without a foreign key that name a person all the same, by how they are called.
NAMES = re.compile(
    r"(^|_)(principal|actor|author|member|user|owner|person|people|sender|asker|subject|uploader|mentions?)(_id|s)?(_on|_off)?$"
)
# Called so, and no person: what a run or an event is about is named by a type beside it.
NO_PERSON = {"runs_run.subject_id": "the document, answer or request a run works for"}


def announced() -> set[str]:
    return {link for data in subject_data() for link in data.links}


def declared_tables() -> set[str]:
    columns = [column for data in subject_data() for column in (*data.links, *data.shared)]
    return {column.partition(".")[0] for column in columns} | set(impersonal_tables())


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition"
        )
        return {name for (name,) in cursor.fetchall()}


def linked_by_models() -> set[str]:
    found = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            points = isinstance(field, ForeignKey) and field.related_model in (User, Member)
            named = isinstance(field, UUIDField) and NAMES.search(field.column)
            if points or named:
                found.add(f"{model._meta.db_table}.{field.column}")
    return found


def linked_by_catalogue() -> set[str]:
    with everywhere(), connection.cursor() as cursor:  # the names of walled tables stand in the statement
        cursor.execute(
            "SELECT c.relname || '.' || a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey) "
            "WHERE k.contype = 'f' AND k.confrelid IN ('accounts_user'::regclass, 'accounts_member'::regclass) "
            "AND NOT c.relispartition AND a.attname <> 'organization_id'"
        )
        found = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = 'public'::regnamespace "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND t.typname IN ('uuid', '_uuid')"
        )
        return found | {f"{table}.{column}" for table, column in cursor.fetchall() if NAMES.search(column)}


@pytest.mark.django_db
def test_every_column_that_names_a_person_is_announced() -> None:
    linked = linked_by_models() | linked_by_catalogue()
    assert len(linked) > 30
    assert sorted(linked - announced() - set(NO_PERSON)) == []


@pytest.mark.django_db
def test_every_table_holds_announced_data_or_says_why_nobody_is_in_it() -> None:
    assert len(tables()) > 40
    assert sorted(tables() - declared_tables()) == []
    assert sorted(declared_tables() - tables()) == []


@pytest.mark.django_db
def test_announced_columns_exist() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped"
        )
        known = {name for (name,) in cursor.fetchall()}
    assert (
        sorted(
            {column for data in subject_data() for column in (*data.links, *data.shared, *data.sealed)}
            - known
        )
        == []
    )


@pytest.mark.django_db
def test_a_missing_announcement_is_noticed() -> None:
    """Proof of bite."""
    with without("chat.reactions"):
        assert linked_by_catalogue() - announced() - set(NO_PERSON) == {"chat_reaction.principal_id"}
        assert "chat_reaction" in tables() - declared_tables()


def test_what_is_kept_says_why_and_what_is_not_kept_is_erased() -> None:
    for data in subject_data():
        assert str(data.why), data.name
        assert (data.erase is None) == (data.fate is Fate.KEEP), data.name


def test_events_with_text_say_which_of_it_is_personal() -> None:
    """An event type with a field of free text is either personal there, or named here with the reason."""
    plain = {
        "kind", "type", "role", "reason", "session", "state", "error_code", "failure_code", "emoji", "subject_type",
        "name",  # of a channel: everybody's
        "who_posts", "level",  # one of a few words
        "place",  # a sort of place and an id
        "storage_key",  # a random number
    }  # fmt: skip
    for name, cls in registered().items():
        if not cls.__module__.startswith("apps."):
            continue
        texts = {
            field
            for field, kind in cls.__annotations__.items()
            if str(kind) in ("str", "dict[str, Any]", "dict[str, Any] | None")
        }
        known = {path.partition(".")[0] for path in cls.personal} | plain | {"person"}
        assert sorted(texts - known) == [], name

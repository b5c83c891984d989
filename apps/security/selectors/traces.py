"""Look for a person in the whole database: every column that can hold text, bytes, JSON, words or an id.

The columns come from the catalogue, not from a list of ours, so that a table nobody thought of is searched too.
Ids must be nowhere. Names, addresses and lines of messages must be nowhere but in columns that an app declared to
hold other people's words; what is found there is counted and told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core.data_subjects import Person, subject_data

LEAST_NAME = 3  # shorter names are parts of words
SECONDS = 600
_COLUMNS = """
SELECT c.relname, a.attname, CASE WHEN t.typcategory = 'A' THEN 'array' WHEN t.typname IN ('bytea', 'uuid', 'jsonb')
  THEN t.typname ELSE 'text' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND (t.typcategory IN ('S', 'A', 'I') OR t.typname IN ('bytea', 'uuid', 'json', 'jsonb', 'tsvector'))
ORDER BY 1, 2
"""
_TENANT = """
SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND a.attname = 'organization_id' AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class Column:
    """A column that can hold something of a person; `kind` is text, jsonb, bytea, uuid or array."""

    table: str
    name: str
    kind: str

    @property
    def key(self) -> str:
        """Return `table.column`."""
        return f"{self.table}.{self.name}"


@dataclass
class Traces:
    """What was found: rows by `table.column`. `kept` are names in other people's words."""

    columns: int = 0
    tables: int = 0
    left: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


def searched_columns() -> list[Column]:
    """Return every column of every table that can hold text, bytes or an id."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        return [Column(*row) for row in cursor.fetchall()]


def find_traces(person: Person, *, line_hashes: Sequence[str], except_request: UUID) -> Traces:
    """Search the database. One statement a table; it may take minutes in a large organization.

    Args:
        line_hashes: SHA-256 of lines of the person's messages, as hex.
        except_request: the request that does this knows the person until it is done.
    """
    shared = {column for data in subject_data() for column in data.shared}
    by_table: dict[str, list[Column]] = defaultdict(list)
    for column in searched_columns():
        by_table[column.table].append(column)
    found = Traces(columns=sum(map(len, by_table.values())), tables=len(by_table))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [f"{SECONDS}s"])
        cursor.execute(_TENANT)
        tenant = {table for (table,) in cursor.fetchall()}
        for table, columns in by_table.items():
            _search(cursor, person, table, columns, table in tenant, line_hashes, except_request)
            row = cursor.fetchone()
            for number, column in enumerate(columns):
                ids, words = row[2 * number], row[2 * number + 1]
                if ids:
                    found.left[column.key] = ids
                if words:
                    place = found.kept if column.key in shared else found.left
                    place[column.key] = place.get(column.key, 0) + words
    return found


def _search(
    cursor: Any,
    person: Person,
    table: str,
    columns: list[Column],
    is_tenant: bool,
    line_hashes: Sequence[str],
    except_request: UUID,
) -> None:
    parts = []
    for column in columns:
        parts += [f"count(*) FILTER (WHERE {_holds_ids(column)})", f"count(*) FILTER (WHERE {_holds_words(column)})"]
    where = ["true"]
    if is_tenant:
        where.append("(x.organization_id = %(organization)s OR x.organization_id IS NULL)")
    if table == "security_privacyrequest":
        where.append("x.id <> %(request)s")
    names = [word.lower() for word in (person.name, person.email) if len(word) >= LEAST_NAME]
    if not person.leaves_for_good:
        names = [name for name in names if name != person.email.lower()]
    cursor.execute(
        f'SELECT {", ".join(parts)} FROM "{table}" x WHERE {" AND ".join(where)}',  # noqa: S608 - names of the catalogue
        {
            "organization": person.organization_id,
            "request": except_request,
            "ids": _ids(person, table),
            "id_texts": [str(pk) for pk in _ids(person, table)],
            "names": names,
            "lines": list(line_hashes),
        },
    )


def _ids(person: Person, table: str) -> list[UUID]:
    """The account's own tables keep its id where another organization has a seat for it."""
    if person.leaves_for_good or table not in _ACCOUNT:
        return [person.id, person.member_id]
    return [person.member_id]


_ACCOUNT = frozenset(
    {
        "accounts_user", "account_emailaddress", "usersessions_usersession", "accounts_signinlink",
        "accounts_user_groups", "accounts_user_user_permissions", "django_admin_log", "core_retrykey",
    }
)  # fmt: skip


def _holds_ids(column: Column) -> str:
    place = f'x."{column.name}"'
    if column.kind == "uuid":
        return f"{place} = ANY (%(ids)s::uuid[])"
    if column.kind == "bytea":
        return f"EXISTS (SELECT 1 FROM unnest(%(id_texts)s::text[]) n WHERE position(convert_to(n, 'UTF8') IN {place}) > 0)"
    return f"EXISTS (SELECT 1 FROM unnest(%(id_texts)s::text[]) n WHERE strpos({place}::text, n) > 0)"


def _holds_words(column: Column) -> str:
    place = f'x."{column.name}"'
    if column.kind == "uuid":
        return "false"
    if column.kind == "bytea":
        return f"EXISTS (SELECT 1 FROM unnest(%(names)s::text[]) n WHERE position(convert_to(n, 'UTF8') IN {place}) > 0)"
    named = f"EXISTS (SELECT 1 FROM unnest(%(names)s::text[]) n WHERE strpos(lower({place}::text), n) > 0)"
    texts = (
        f"(SELECT v #>> '{{}}' FROM jsonb_path_query({place}, 'strict $.**') v WHERE jsonb_typeof(v) = 'string')"
        if column.kind == "jsonb"
        else f"(SELECT {place}::text)"
    )
    said = (
        f"EXISTS (SELECT 1 FROM {texts} t (line), regexp_split_to_table(t.line, E'\\n') l "
        "WHERE encode(sha256(convert_to(btrim(l, E' \\t\\r'), 'UTF8')), 'hex') = ANY (%(lines)s::text[]))"
    )
    return f"({named} OR (cardinality(%(lines)s::text[]) > 0 AND {said}))"

"""Look for a person in the whole database: every column that can hold text, bytes, JSON, words or an id.

The columns come from the catalogue, not from a list of ours, so that a table nobody thought of is searched too.
Ids must be nowhere. Names, addresses and lines of messages must be nowhere but in columns that an app declared to
hold other people's words; what is found there is counted and told. So are ids in the sealed rows of the audit trail.
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
LEAST_LINE = 30  # shorter lines are everybody's
SECONDS = 600
# Where another organization has a seat for the person, the account is not ours to erase.
_ACCOUNT = frozenset(
    {
        "accounts_user", "account_emailaddress", "usersessions_usersession", "accounts_signinlink",
        "accounts_user_groups", "accounts_user_user_permissions", "django_admin_log", "core_retrykey",
        "core_featureflag", "mfa_authenticator", "accounts_secondfactor",
    }
)  # fmt: skip
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
    """What was found: rows by `table.column`. `kept` are names in other people's words, and ids in sealed rows."""

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
        line_hashes: SHA-256 of lines of the person's messages, as hex, of at least `LEAST_LINE` characters.
        except_request: the request that does this knows the person until it is done.
    """
    shared = {column for data in subject_data() for column in data.shared}
    sealed = {column for data in subject_data() for column in data.sealed}
    by_table: dict[str, list[Column]] = defaultdict(list)
    for column in searched_columns():
        by_table[column.table].append(column)
    found = Traces(columns=sum(map(len, by_table.values())), tables=len(by_table))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [f"{SECONDS}s"])
        cursor.execute(_TENANT)
        tenant = {table for (table,) in cursor.fetchall()}
        for table, columns in by_table.items():
            wanted = _wanted(person, table) | {
                "lines": [bytes.fromhex(one) for one in line_hashes],
                "request": except_request,
            }
            cursor.execute(_statement(table, columns, is_tenant=table in tenant), wanted)
            counts = iter(cursor.fetchone())
            for column, ids, words in zip(columns, counts, counts, strict=False):
                kept = ids * (column.key in sealed) + words * (column.key in shared)
                _note(found, column.key, kept=kept, left=ids + words - kept)
    return found


def _note(found: Traces, key: str, *, kept: int, left: int) -> None:
    if kept:
        found.kept[key] = kept
    if left:
        found.left[key] = left


def _wanted(person: Person, table: str) -> dict[str, Any]:
    """Return what to look for in a table; an account that stays for another organization keeps id and address."""
    stays = not person.leaves_for_good
    ids = [person.member_id] if stays and table in _ACCOUNT else [person.member_id, person.id]
    names = [person.name] if stays else [person.name, person.email]
    return {
        "organization": person.organization_id,
        "ids": ids,
        "id_texts": [str(pk) for pk in ids],
        "names": [name.lower() for name in names if len(name) >= LEAST_NAME],
    }


def _statement(table: str, columns: Sequence[Column], *, is_tenant: bool) -> str:
    """Return the statement that counts, for each column, the rows with ids and the rows with words of the person."""
    counts = [
        f"count(*) FILTER (WHERE {condition})"
        for column in columns
        for condition in (_holds_ids(column), _holds_words(column))
    ]
    # Written and lowered once a row, however many needles there are: OFFSET keeps it apart.
    lowered = [
        f'lower(x."{column.name}"::text) AS "{column.name}"'
        for column in columns
        if column.kind not in ("uuid", "bytea")
    ]
    beside = f", LATERAL (SELECT {', '.join(lowered)} OFFSET 0) low" if lowered else ""
    where = ["(x.organization_id = %(organization)s OR x.organization_id IS NULL)"] if is_tenant else []
    if table == "security_privacyrequest":
        where.append("x.id <> %(request)s")
    return f'SELECT {", ".join(counts)} FROM "{table}" x{beside} WHERE {" AND ".join(where) or "true"}'  # noqa: S608 - names of the catalogue


def _holds_ids(column: Column) -> str:
    place = f'x."{column.name}"'
    if column.kind == "uuid":
        return f"{place} = ANY (%(ids)s::uuid[])"
    return _any_of("id_texts", column)


def _holds_words(column: Column) -> str:
    """A name in any letter case, or a line of a message, in JSON also inside of its texts."""
    place = f'x."{column.name}"'
    if column.kind == "uuid":
        return "false"
    if column.kind == "bytea":
        return _any_of("names", column)
    texts = f"(SELECT {place}::text WHERE length({place}::text) >= {LEAST_LINE})"
    if column.kind == "jsonb":
        texts = (
            f"(SELECT v #>> '{{}}' FROM jsonb_path_query({place}, 'strict $.** ? (@.type() == \"string\")') v "  # noqa: S608 - as above
            f"WHERE length(v #>> '{{}}') >= {LEAST_LINE})"
        )
    said = (
        f"EXISTS (SELECT 1 FROM {texts} t (text), string_to_table(t.text, E'\\n') l "  # noqa: S608 - as above
        f"WHERE length(l) >= {LEAST_LINE} "
        "AND sha256(convert_to(btrim(l, E' \\t\\r'), 'UTF8')) = ANY (%(lines)s::bytea[]))"
    )
    return f"({_any_of('names', column)} OR (cardinality(%(lines)s::bytea[]) > 0 AND {said}))"


def _any_of(needles: str, column: Column) -> str:
    """Return the condition that one of the texts stands in the column; bytes are compared as they are."""
    here = f'strpos(low."{column.name}", n) > 0'
    if column.kind == "bytea":
        here = f"position(convert_to(n, 'UTF8') IN x.\"{column.name}\") > 0"
    return f"EXISTS (SELECT 1 FROM unnest(%({needles})s::text[]) n WHERE {here})"  # noqa: S608 - as above

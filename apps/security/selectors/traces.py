"""Look for a person in the whole database: every column that can hold text, bytes, JSON, words or an id.

The columns come from the catalogue, not from a list of ours, so that a table nobody thought of is searched too.
Ids must be nowhere. Names, addresses and lines of messages must be nowhere but in columns that an app declared to
hold other people's words; what is found there is counted and told. So are ids in the sealed rows of the audit trail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django.db import connection, transaction

from apps.core.data_subjects import Person, subject_data

LEAST_NAME = 3  # shorter names are parts of words
LEAST_LINE = 30  # shorter lines are everybody's
LONGER_LINE = 40  # longer than ids, hashes and moments, of which a database is full
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
SELECT c.relname, a.attname, CASE WHEN t.typcategory = 'A' THEN 'array'
  WHEN t.typname IN ('bytea', 'uuid', 'jsonb', 'tsvector') THEN t.typname ELSE 'text' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND (t.typcategory IN ('S', 'A', 'I') OR t.typname IN ('bytea', 'uuid', 'json', 'jsonb', 'tsvector'))
ORDER BY 1, 2
"""
# Sent once, not with each of the hundred statements: the lines of a long life are megabytes.
_KEEP_LINES = "SELECT set_config('app.lines', %s, true)"
# Once in a statement, not once a column: there are hundreds of both.
_LINES = (
    "WITH lines AS MATERIALIZED "
    "(SELECT decode(l, 'hex') AS hash FROM string_to_table(current_setting('app.lines'), ',') l)"
)
_TENANT = """
SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND a.attname = 'organization_id' AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class Column:
    """A column that can hold something of a person; `kind` is text, jsonb, tsvector, bytea, uuid or array."""

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


def find_traces(
    person: Person, *, line_hashes: Sequence[str], shortest_line: int = LEAST_LINE, except_request: UUID
) -> Traces:
    """Search the database. One statement a table; it may take minutes in a large organization.

    Args:
        line_hashes: SHA-256 of lines of the person's messages, as hex.
        shortest_line: their least length in characters; what is shorter is none of them, and needs no hash.
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
        cursor.execute(_KEEP_LINES, [",".join(line_hashes)])
        cursor.execute(_TENANT)
        tenant = {table for (table,) in cursor.fetchall()}
        for table, columns in by_table.items():
            statement = _Statement.about(person, table, shortest_line=shortest_line if line_hashes else None)
            sql = statement.of(table, columns, where=_rows_of(table, is_tenant=table in tenant))
            given = {"organization": person.organization_id, "request": except_request}
            cursor.execute(sql, statement.parameters | given)
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


def _rows_of(table: str, *, is_tenant: bool) -> list[str]:
    where = ["(x.organization_id = %(organization)s OR x.organization_id IS NULL)"] if is_tenant else []
    return [*where, "x.id <> %(request)s"] if table == "security_privacyrequest" else where


@dataclass
class _Statement:
    """Counts, for each column of a table, the rows with ids and the rows with words of the person.

    Whole tables are read by it, so that what is asked of a row is written out: a look-up among needles in a subquery
    would start that subquery for each column of each row.
    """

    ids: Sequence[UUID]
    names: Sequence[str]
    shortest_line: int | None  # None looks for no lines
    parameters: dict[str, Any] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def about(cls, person: Person, table: str, *, shortest_line: int | None) -> Self:
        """Look for a person; an account that stays for another organization keeps id and address."""
        stays = not person.leaves_for_good
        ids = [person.member_id] if stays and table in _ACCOUNT else [person.member_id, person.id]
        names = [person.name] if stays else [person.name, person.email]
        return cls(ids, [name.lower() for name in names if len(name) >= LEAST_NAME], shortest_line)

    def of(self, table: str, columns: Sequence[Column], *, where: Sequence[str]) -> str:
        """Return its SQL; `parameters` are then complete."""
        counts = [
            f"count(*) FILTER (WHERE {condition})"
            for column in columns
            for condition in (self._holds_ids(column), self._holds_words(column))
        ]
        # Written and lowered once a row, however many needles there are: OFFSET keeps it apart.
        lowered = [
            f'lower(x."{column.name}"::text) AS "{column.name}"'
            for column in columns
            if column.kind not in ("uuid", "bytea")
        ]
        lowered += [
            f'x."{column.name}"::text AS "{column.name} written"' for column in columns if _is_dear(column)
        ]
        beside = f", LATERAL (SELECT {', '.join(lowered)} OFFSET 0) low" if lowered else ""
        return f'{_LINES} SELECT {", ".join(counts)} FROM "{table}" x{beside} WHERE {" AND ".join(where) or "true"}'  # noqa: S608 - names of the catalogue

    def _holds_ids(self, column: Column) -> str:
        if column.kind == "uuid":
            return f'x."{column.name}" = ANY ({self._named("ids", list(self.ids))}::uuid[])'
        return self._holds_any([str(pk) for pk in self.ids], column)

    def _holds_words(self, column: Column) -> str:
        """A name in any letter case, or a line of a message, in JSON also inside of its texts."""
        if column.kind == "uuid":
            return "false"
        named = self._holds_any(self.names, column)
        if column.kind == "bytea" or self.shortest_line is None:
            return named
        return f"({named} OR {self._holds_line(column)})"

    def _holds_any(self, needles: Sequence[str], column: Column) -> str:
        """Return the condition that one of the texts stands in the column; bytes are compared as they are."""
        if column.kind == "bytea":
            found = [
                f'position({self._named(f"bytes of {needle}", needle.encode())} IN x."{column.name}") > 0'
                for needle in needles
            ]
        else:
            found = [f'strpos(low."{column.name}", {self._named(needle, needle)}) > 0' for needle in needles]
        return f"({' OR '.join(found)})" if found else "false"

    def _holds_line(self, column: Column) -> str:
        place = f'x."{column.name}"'
        if column.kind == "jsonb":
            # Strings come out of the select list one by one; as a table they are kept first.
            return (
                f"EXISTS (SELECT 1 FROM (SELECT jsonb_path_query({place}, "  # noqa: S608 - as above
                f"'strict $.** ? (@.type() == \"string\")') #>> '{{}}' AS text OFFSET 0) t "
                f"WHERE {self._is_or_has_line('t.text')})"
            )
        return self._is_or_has_line(f'low."{column.name} written"' if _is_dear(column) else f"{place}::text")

    def _is_or_has_line(self, text: str) -> str:
        """Return the condition on a text; most are one line, and need not be cut."""
        whole, line = _stripped(text, " \t\r\n"), _stripped("l", " \t\r")
        return (
            f"CASE WHEN length({text}) < {self.shortest_line} THEN false "  # noqa: S608 - as above
            f"WHEN position('\\x0a'::bytea IN {whole}) = 0 THEN {_is_line(whole)} "
            f"ELSE EXISTS (SELECT 1 FROM string_to_table({text}, E'\\n') l "
            f"WHERE length(l) >= {self.shortest_line} AND {_is_line(line)}) END"
        )

    def _named(self, what: str, value: Any) -> str:
        """Return the place of a parameter, the same one for the same value."""
        name = self._names.setdefault(what, f"p{len(self._names)}")
        self.parameters[name] = value
        return f"%({name})s"


def _is_dear(column: Column) -> bool:
    """Say whether to write the column out takes as long as all that is asked of it, so that it is written once."""
    return column.kind == "tsvector"


def _stripped(text: str, ends: str) -> str:
    """Return the bytes of a text without these at its ends; to strip characters takes ten times as long."""
    return f"btrim(convert_to({text}, 'UTF8'), '\\x{ends.encode().hex()}'::bytea)"


def _is_line(line: str) -> str:
    """IS TRUE: a look-up in one table of hashes; the planner would join them anew for each text."""
    return f"(sha256({line}) IN (SELECT hash FROM lines)) IS TRUE"  # noqa: S608 - as above

"""Statements that the server plans once for each connection.

The list of conversations is planned as long as it is run, and every page asks it. A plan belongs to a connection, so
this is for servers of our own and for those where `database_plans_stay` says that no pooler hands connections on
between transactions. The plan of a statement fits all its parameters: nothing belongs here that is only fast for some.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from apps.core import tenancy

MOST = 200  # statements of a connection; a new one is planned each time then
Parameters = Mapping[str, Any] | Sequence[Any]
_PLACES = re.compile(r"%\((\w+)\)s|%s|%%")
_kept: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Statement:
    """A statement as the server keeps it.

    Attributes:
        names: of its parameters in the server's order; none of a statement whose parameters have places.
        call: the one that runs it, with the places of the parameters.
    """

    name: str
    text: str
    names: tuple[str, ...]
    call: str

    def ordered(self, parameters: Parameters) -> Sequence[Any]:
        """Return the parameters in the server's order."""
        if isinstance(parameters, Mapping):
            return [parameters[name] for name in self.names]
        return parameters


def execute(cursor: CursorWrapper, sql: str, parameters: Parameters) -> None:
    """Run a statement of the default database with the plan that its connection keeps; without, where none may be kept.

    Args:
        sql: a constant, or one of a few texts that constants were put into.
    """
    may_keep = settings.CONFIGURATION.database.database_plans_stay
    statement = _statement(sql)
    if may_keep and tenancy.is_set() and _is_kept(statement):
        cursor.execute(statement.call, statement.ordered(parameters))
    else:
        cursor.execute(sql, parameters)


def read_each(cursor: CursorWrapper, asked: Sequence[tuple[str, Parameters]]) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each of several statements: in one round trip where plans are kept, as by `execute` otherwise.

    Args:
        asked: statements and their parameters; one that fails fails all of them.
    """
    if len(asked) > 1 and settings.CONFIGURATION.database.database_plans_stay and tenancy.is_set():
        statements = [_statement(sql) for sql, _ in asked]
        if all(map(_is_kept, statements)):
            values = [
                statement.ordered(given) for statement, (_, given) in zip(statements, asked, strict=True)
            ]
            cursor.execute(";".join(one.call for one in statements), [*chain.from_iterable(values)])
            return [cursor.fetchall(), *_following(cursor)]
    rows = []
    for sql, parameters in asked:
        execute(cursor, sql, parameters)
        rows.append(cursor.fetchall())
    return rows


def _following(cursor: CursorWrapper) -> Iterator[list[tuple[Any, ...]]]:
    while cursor.nextset():
        yield cursor.fetchall()


def _is_kept(statement: _Statement) -> bool:
    """Return whether the connection keeps the statement; tell it, if it has room."""
    connection.ensure_connection()
    kept = _kept.setdefault(connection.connection, set())
    if statement.name in kept:
        return True
    if len(kept) >= MOST:
        return False
    with connection.wrap_database_errors:
        # Past the wrapper that sets the organization: nothing is read, and it is no statement of the page.
        connection.connection.execute(f"PREPARE {statement.name} AS {statement.text}")
    kept.add(statement.name)
    return True


@lru_cache(maxsize=512)
def _statement(sql: str) -> _Statement:
    names: list[str] = []
    places = 0

    def numbered(place: re.Match[str]) -> str:
        nonlocal places
        if place[0] == "%%":
            return "%"
        if place[1] is None:
            places += 1
            return f"${places}"
        if place[1] not in names:
            names.append(place[1])
        return f"${names.index(place[1]) + 1}"

    text = _PLACES.sub(numbered, sql)
    name = "p_" + hashlib.sha256(sql.encode()).hexdigest()[:16]
    holders = ", ".join(["%s"] * (len(names) or places))
    return _Statement(name, text, tuple(names), f"EXECUTE {name}" + (f" ({holders})" if holders else ""))

"""What was set up once, brought back for each test that commits: rows, keys and files.

Setting a scene through the product's own services takes seconds, bringing it back a twentieth of one. Sequences
go on counting, so that nothing made later meets what was made before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import connection, transaction

from apps.core.redis import client

Scene = TypeVar("Scene")
_COLUMNS = """
SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.oid = ANY (ARRAY(SELECT to_regclass(t) FROM test_filled_tables() t)) GROUP BY 1
"""


@dataclass(frozen=True)
class Snapshot(Generic[Scene]):
    """Everything a scene left.

    Attributes:
        scene: names what there is, given out as a copy.
        rows: of each table with its columns, as PostgreSQL writes them.
        keys: of Valkey, with what is left of their time in milliseconds.
        files: their mode and content, by their place in the data directory.
    """

    scene: Scene
    rows: dict[str, bytes]
    keys: dict[bytes, tuple[int, bytes]]
    files: dict[Path, tuple[int, bytes]]

    def bring_back(self, data: Path) -> Scene:
        """Fill empty tables, an empty Valkey and the data directory; return the scene."""
        for place, (mode, content) in self.files.items():
            (data / place).parent.mkdir(parents=True, exist_ok=True)
            (data / place).write_bytes(content)
            (data / place).chmod(mode)
        for key, (time_left, value) in self.keys.items():
            client().restore(key, time_left, value)
        _write_rows(self.rows)
        return copy.deepcopy(self.scene)


class Stage(Generic[Scene]):
    """The scenes that this process has set so far."""

    def __init__(self) -> None:
        self._known: dict[str, Snapshot[Scene]] = {}

    def set(self, name: str, make: Callable[[], Scene]) -> Scene:
        """Return the scene of this name: made at the first call, brought back at all later ones.

        There is nothing else in the tables and in Valkey.
        """
        data = Path(settings.DATA_DIR)
        if name in self._known:
            return self._known[name].bring_back(data)
        before = _files(data)
        scene = make()
        made = {
            place.relative_to(data): (place.stat().st_mode, place.read_bytes())
            for place in _files(data) - before
        }
        self._known[name] = Snapshot(copy.deepcopy(scene), _read_rows(), _read_keys(), made)
        return scene


def _files(data: Path) -> set[Path]:
    return {place for place in data.rglob("*") if place.is_file()}


def _read_keys() -> dict[bytes, tuple[int, bytes]]:
    redis = client()
    return {key: (max(redis.pttl(key), 0), redis.dump(key)) for key in redis.scan_iter(count=1000)}


def _read_rows() -> dict[str, bytes]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE chat_everywhere")
        cursor.execute(_COLUMNS)
        rows = {}
        for table, columns in cursor.fetchall():
            with _raw(cursor).copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)") as out:
                rows[f"{table} ({columns})"] = b"".join(bytes(block) for block in out)
    return rows


def _write_rows(rows: dict[str, bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE chat_everywhere")
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, data in rows.items():
            with _raw(cursor).copy(f"COPY {table} FROM STDIN (FORMAT binary)") as into:
                into.write(data)


def _raw(cursor: Any) -> Any:
    return cursor.cursor

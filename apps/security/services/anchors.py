"""Write the heads of the chains where nobody who edits the database can reach: signed, appended, flushed."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from apps.core import tenancy
from apps.core.auditing import sealing
from apps.core.services import audit
from apps.security.actions import ANCHORED
from apps.security.selectors import anchor_files

_TAIL_BYTES = 64 * 1024
_HEADS = """
SELECT organization_id, number, hash FROM core_auditchain
WHERE number > 0 AND chained_at > %s ORDER BY organization_id
"""
# The newest entries of the installation's own chain: an anchor alone is nothing new to anchor.
_NEWS = """
SELECT EXISTS (SELECT FROM (
  SELECT action, chained_at FROM core_auditentry WHERE organization_id = %s AND number IS NOT NULL
  ORDER BY number DESC LIMIT 100) AS newest
WHERE chained_at > %s AND action <> %s)
"""


@dataclass(frozen=True)
class _End:
    """Where the files end: what the next line follows."""

    set_id: str
    line: int
    hash: str
    at: datetime


def write_anchors() -> int:
    """Append one signed line for each chain that grew since the last anchors; return how many.

    The trail of the installation notes the last line, so that a shortened file is found. For the relay, one at a time.

    Raises:
        OSError: the directory cannot be written.
    """
    where = anchor_files.directory()
    where.mkdir(parents=True, exist_ok=True, mode=0o750)
    end = _end(where)
    now, heads = _grown_since(end.at)
    if not heads:
        return 0
    lines = list(_lines(end, heads, now))
    path = where / f"audit-anchors-{now:%Y-%m}.jsonl"
    _append(path, "".join(f"{line}\n" for line in lines))
    with transaction.atomic():
        audit.record(
            organization_id=None,
            action=ANCHORED,
            actor_id=None,
            object_type="anchors",
            object_id=end.set_id,
            details={
                "line": end.line + len(lines),
                "hash": anchor_files.line_hash(lines[-1]),
                "chains": len(lines),
            },
        )
    return len(lines)


def _grown_since(moment: datetime) -> tuple[datetime, list[tuple[UUID, int, str]]]:
    with tenancy.nobody(), connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0].astimezone(UTC)
        cursor.execute(_HEADS, [moment])
        heads = cursor.fetchall()
        if [chain for chain, *_ in heads] == [audit.PLATFORM]:
            cursor.execute(_NEWS, [audit.PLATFORM, moment, ANCHORED])
            if not cursor.fetchone()[0]:
                heads = []
    return now, heads


def _lines(end: _End, heads: list[tuple[UUID, int, str]], now: datetime) -> Iterator[str]:
    key = sealing.accepted_keys()[0]
    signing, name, previous = anchor_files.signing_key(key), anchor_files.key_name(key), end.hash
    for place, (chain, number, head) in enumerate(heads, end.line + 1):
        line: dict[str, Any] = {
            "set": end.set_id, "line": place, "previous": previous, "at": now.isoformat(), "chain": str(chain),
            "number": number, "hash": head, "key": name,
        }  # fmt: skip
        line["signature"] = base64.b64encode(signing.sign(anchor_files.signed_part(line))).decode()
        text = json.dumps(line, separators=(",", ":"))
        previous = anchor_files.line_hash(text)
        yield text


def _end(where: Path) -> _End:
    """Read the last whole line of the newest file; a line that a crash cut in two was never confirmed."""
    for path in reversed(anchor_files.files(where)):
        _drop_cut_line(path)
        with path.open("rb") as opened:
            opened.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = opened.read().decode(errors="replace").splitlines()
        if lines:
            last = json.loads(lines[-1])
            return _End(
                last["set"],
                int(last["line"]),
                anchor_files.line_hash(lines[-1]),
                datetime.fromisoformat(last["at"]),
            )
    return _End(uuid4().hex, 0, "", datetime(1970, 1, 1, tzinfo=UTC))


def _drop_cut_line(path: Path) -> None:
    content = path.read_bytes()[-_TAIL_BYTES:]
    if content and not content.endswith(b"\n"):
        os.truncate(path, path.stat().st_size - len(content.rpartition(b"\n")[2]))


def _append(path: Path, text: str) -> None:
    is_new = not path.exists()
    with _opened(path) as file:
        written = os.write(file, text.encode())
        if written != len(text.encode()):
            raise OSError(f"{path} took {written} bytes only")
        os.fsync(file)
    if is_new:
        with _opened(path.parent, os.O_RDONLY | os.O_DIRECTORY) as folder:
            os.fsync(folder)


@contextmanager
def _opened(path: Path, flags: int = os.O_WRONLY | os.O_APPEND | os.O_CREAT) -> Iterator[int]:
    file = os.open(path, flags, 0o640)
    try:
        yield file
    finally:
        os.close(file)

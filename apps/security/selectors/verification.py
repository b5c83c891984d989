"""Read a whole trail and say precisely what is wrong with it.

Hash and seal are computed here, in Python, from the rows: nothing in the database is believed. The seal shows an edited
or forged entry even before it is chained and even where the whole chain was computed again; the chain shows what was
removed, moved or inserted; the anchors show a chain that was cut or rewritten as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core import tenancy
from apps.core.auditing import sealing
from apps.core.services import audit
from apps.security.actions import ANCHORED, EMPTIED
from apps.security.types import AnchorReport, ChainReport, Finding, Problem

PAGE = 2000
_COLUMNS = """id, key, organization_id, created_at, action, outcome, actor_id, on_behalf_of, object_type, object_id,
  request_id, session, details::text AS details_text, address_reference, person_reference, seal, address, person,
  number, hash, chained_at"""
_CHAINED = f"""
SELECT {_COLUMNS} FROM core_auditentry
WHERE organization_id = %s AND number IS NOT NULL AND (number, id) > (%s, %s) ORDER BY number, id LIMIT {PAGE}
"""  # noqa: S608 - constants only
_WAITING = f"""
SELECT {_COLUMNS} FROM core_auditentry
WHERE organization_id = %s AND number IS NULL AND id > %s ORDER BY id LIMIT {PAGE}
"""  # noqa: S608
_TWICE = """
SELECT key, max(number) FROM core_auditentry WHERE organization_id = %s
GROUP BY key HAVING count(*) > 1 ORDER BY 2 LIMIT 50
"""
_HEAD = "SELECT number, hash FROM core_auditchain WHERE organization_id = %s"
_EMPTIED = """
SELECT coalesce(sum((details->>'emptied')::bigint), 0) FROM core_auditentry
WHERE organization_id = %s AND action = %s AND outcome = 'done'
"""
_NOTED = """
SELECT object_id, (details->>'line')::bigint, details->>'hash' FROM core_auditentry
WHERE organization_id = %s AND action = %s ORDER BY id
"""


@dataclass(frozen=True)
class _Row:
    """An entry as it is stored."""

    content: sealing.Content
    id: int
    created_at: datetime
    details_text: str
    seal: str
    address: str | None
    person: str | None
    number: int | None
    hash: str | None
    chained_at: datetime | None


def verify_chain(chain: UUID, *, anchors: AnchorReport | None = None) -> ChainReport:
    """Check one organization's trail, chained and waiting.

    Args:
        chain: organization, or `audit.PLATFORM`.
        anchors: read with `anchor_files.read`; None checks without them.
    """
    report = ChainReport(chain)
    with tenancy.use(chain):
        _walk(report, {anchor.number: anchor.hash for anchor in anchors.of(chain)} if anchors else {})
        for row in _rows(_WAITING, chain, (0,), lambda row: (row.id,)):
            report.waiting += 1
            _check_content(report, row)
        for key, number in _fetch(_TWICE, [chain]):
            report.add(Problem.INSERTED, number, f"Entry {key} is there more than once.")
        erased = int(_fetch(_EMPTIED, [chain, EMPTIED])[0][0])
        if report.emptied > erased:
            missing = report.emptied - erased
            report.add(Problem.EMPTIED, None, f"{missing} personal values are gone without an erasure.")
    return report


def compare_with_notes(anchors: AnchorReport) -> list[Finding]:
    """Check that the anchor files have every line the installation's trail says was written."""
    with tenancy.use(audit.PLATFORM):
        noted = _fetch(_NOTED, [audit.PLATFORM, ANCHORED])
    if not noted:
        return []
    if noted[-1][0] != anchors.set_id:
        said = f"The newest anchors were written as series {noted[-1][0]}, which is not in these files."
        return [Finding(Problem.ANCHORS, None, None, said)]
    first = min(anchors.hashes)
    lines = [(line, digest) for series, line, digest in noted if series == anchors.set_id and line >= first]
    findings = []
    for line, digest in lines:
        if line > anchors.last_line:
            said = f"The trail says that line {line} was written; the files end at line {anchors.last_line}."
            findings.append(Finding(Problem.ANCHORS, None, line, said))
            break
        if anchors.hashes.get(line) != digest:
            said = f"Line {line} of the anchor files is not the one that was written."
            findings.append(Finding(Problem.ANCHORS, None, line, said))
    return findings


def _walk(report: ChainReport, anchored: dict[int, str]) -> None:
    expected, previous = 1, sealing.FIRST
    head = _fetch(_HEAD, [report.chain])
    head_number, head_hash = head[0] if head else (0, sealing.FIRST)
    for row in _rows(_CHAINED, report.chain, (-(2**62), 0), lambda row: (row.number, row.id)):
        number = row.number or 0
        report.entries += 1
        if number < expected:
            report.add(Problem.INSERTED, number, f"Number {number} is there more than once.")
            continue
        if number > expected:
            gone = f"number {expected}" if number == expected + 1 else f"numbers {expected} to {number - 1}"
            report.add(Problem.REMOVED, expected, f"The entry with {gone} is missing.")
        is_genuine = _check_content(report, row)
        follows = number == expected and sealing.link_hash(previous, row.content, _link(row)) == row.hash
        if number == expected and not follows and is_genuine:
            said = f"Entry {number} does not follow its predecessor: its place or its time was changed."
            report.add(Problem.MOVED, number, said)
        _check_anchor(report, anchored, number, row.hash)
        expected, previous = number + 1, row.hash or sealing.FIRST
    report.head = expected - 1
    _check_end(report, anchored, (head_number, head_hash), previous)


def _check_anchor(report: ChainReport, anchored: dict[int, str], number: int, digest: str | None) -> None:
    if number not in anchored:
        return
    report.anchors += 1
    report.last_anchor = number
    if anchored[number] != digest:
        said = f"Entry {number} is not the one that was anchored: the chain up to it was rewritten."
        report.add(Problem.REWRITTEN, number, said)


def _check_end(report: ChainReport, anchored: dict[int, str], head: tuple[int, str], last: str) -> None:
    newest = max(anchored, default=0)
    if newest > report.head:
        said = f"Entry {newest} was anchored, but the trail ends at {report.head}: the end was cut off."
        report.add(Problem.CUT, newest, said)
    elif head[0] > report.head:
        said = f"The chain had {head[0]} entries, but the trail ends at {report.head}: the end was cut off."
        report.add(Problem.CUT, head[0], said)
    if head[0] < report.head:
        said = (
            f"The chain has {head[0]} entries, but the trail goes on to {report.head}: entries were inserted."
        )
        report.add(Problem.INSERTED, head[0] + 1, said)
    if head[0] == report.head and head[1] != last:
        said = f"The head of the chain is not the hash of entry {report.head}."
        report.add(Problem.REWRITTEN, report.head, said)


def _check_content(report: ChainReport, row: _Row) -> bool:
    """Check seal and personal values of an entry; return whether what it says is genuine."""
    content = row.content
    name = f"Entry {row.number}" if row.number else f"Entry {content.key} (not yet chained)"
    is_genuine = sealing.is_sealed(content, row.seal)
    if not is_genuine:
        said = f"{name} does not say what was recorded: it was changed, or not written by the product."
        report.add(Problem.CHANGED, row.number, said)
    for kind, value, reference in (
        ("address", row.address, content.address_reference),
        ("person", row.person, content.person_reference),
    ):
        if value is None:
            report.emptied += bool(reference)
        elif not sealing.refers_to(reference, kind, value, organization_id=content.organization_id):
            report.add(Problem.CHANGED, row.number, f"{name}: the value in {kind} was changed.")
    return is_genuine


def _link(row: _Row) -> sealing.Link:
    return sealing.Link(
        id=row.id,
        number=row.number or 0,
        created_at=row.created_at,
        chained_at=row.chained_at or row.created_at,
        details_text=row.details_text,
        seal=row.seal,
    )


def _rows(sql: str, chain: UUID, start: tuple[Any, ...], place: Any) -> Iterator[_Row]:
    """Yield entries page by page; `place` says where the next page begins."""
    after = start
    while True:
        found = [_row(values) for values in _fetch(sql, [chain, *after])]
        yield from found
        if len(found) < PAGE:
            return
        after = place(found[-1])


def _row(values: tuple[Any, ...]) -> _Row:
    (id_, key, organization_id, created_at, action, outcome, actor_id, on_behalf_of, object_type, object_id, request_id,
     session, details_text, address_reference, person_reference, seal, address, person, number, digest,
     chained_at) = values  # fmt: skip
    content = sealing.Content(
        key=key,
        organization_id=organization_id,
        action=action,
        outcome=outcome,
        actor_id=actor_id,
        on_behalf_of=on_behalf_of,
        object_type=object_type,
        object_id=object_id,
        request_id=request_id,
        session=session,
        details=json.loads(details_text, parse_float=Decimal),
        address_reference=address_reference,
        person_reference=person_reference,
    )
    return _Row(content, id_, created_at, details_text, seal, address, person, number, digest, chained_at)


def _fetch(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

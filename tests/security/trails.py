"""A trail in two organizations, chained and anchored, and an attacker who owns the database but not the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.core.management import CommandError, call_command
from django.db import transaction
from psycopg.rows import dict_row

from apps.core import origin
from apps.core.auditing import sealing
from apps.core.auditing.actions import register_action
from apps.core.services import audit
from apps.core.services.audit_chain import chain_waiting
from apps.security.selectors import anchor_files
from apps.security.selectors.verification import verify_chain
from apps.security.services.anchors import write_anchors
from apps.security.types import ChainReport
from tests.conftest import owner_connection
from tests.core.events import platform_role

OURS, THEIRS = UUID(int=0xA), UUID(int=0xB)
ANNA, BEN = UUID(int=0xA1), UUID(int=0xB1)
DONE = register_action("test.trail", "Tested")
Attack = Callable[[psycopg.Connection[Any]], object]


def act(organization_id: UUID | None = OURS, *, times: int = 1, **values: Any) -> None:
    """Record entries, each in a transaction of its own."""
    for turn in range(times):
        with origin.use(address="192.0.2.1", session="s1"), transaction.atomic():
            audit.record(
                **{
                    "organization_id": organization_id,
                    "action": DONE,
                    "actor_id": ANNA,
                    "object_type": "thing",
                    "object_id": f"{turn}",
                    "details": {"turn": turn, "share": 0.5, "b": [1, "ä"]},
                    "person": "ben@example.org",
                    **values,
                }
            )


def relay() -> None:
    """Chain and anchor, as the relay does."""
    with platform_role():
        chain_waiting()
        write_anchors()
        chain_waiting()


def chain() -> int:
    """Chain only."""
    with platform_role():
        return chain_waiting()


@contextmanager
def attacker() -> Iterator[psycopg.Connection[Any]]:
    """Own the database: triggers off, every row open."""
    with owner_connection() as owner, owner.transaction():
        owner.execute("ALTER TABLE core_auditentry DISABLE TRIGGER core_auditentry_keep")
        yield owner
        owner.execute("ALTER TABLE core_auditentry ENABLE TRIGGER core_auditentry_keep")


def run_attack(attack: str | Attack) -> None:
    """Do it and commit; an attack that touches nothing shows nothing."""
    with attacker() as owner:
        if callable(attack):
            attack(owner)
        else:
            assert owner.execute(attack).rowcount


@contextmanager
def undone() -> Iterator[None]:
    """Put every row back afterwards."""
    tables = ("core_auditentry", "core_auditchain")
    with owner_connection() as owner:
        for table in tables:
            owner.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")
        try:
            yield
        finally:
            with attacker() as attacking:
                for table in tables:
                    attacking.execute(f"DELETE FROM {table}")
            with owner.transaction():
                for table in tables:
                    owner.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{table}")


def verify(organization_id: UUID = OURS, *, anchored: bool = True) -> ChainReport:
    """Verify one chain."""
    anchors = anchor_files.read(anchor_files.directory()) if anchored else None
    return verify_chain(organization_id, anchors=anchors)


def problems(report: ChainReport) -> list[tuple[str, int | None]]:
    """Return what was found, without the words."""
    return [(finding.problem.value, finding.number) for finding in report.findings]


def command(*arguments: str) -> tuple[int, str]:
    """Run `verify_audit`; return its exit code and what it said."""
    said = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=said, no_color=True)
    except CommandError as error:
        return error.returncode, f"{said.getvalue()}{error}"
    return 0, said.getvalue()


def anchor_file(where: Path) -> Path:
    """Return the one anchor file."""
    (path,) = anchor_files.files(where)
    return path


def rehash(owner: psycopg.Connection[Any], *, organization_id: UUID = OURS) -> None:
    """Number and hash the whole chain again, with the product's own rules, and set its head."""
    rows = (
        owner.cursor(row_factory=dict_row)
        .execute(
            "SELECT *, details::text AS details_text FROM core_auditentry"
            " WHERE organization_id = %s AND number IS NOT NULL ORDER BY number",
            [organization_id],
        )
        .fetchall()
    )
    previous = sealing.FIRST
    for number, row in enumerate(rows, 1):
        content = sealing.Content(**{name: row[name] for name in sealing.Content.__dataclass_fields__})
        link = sealing.Link(
            id=row["id"],
            number=number,
            created_at=row["created_at"],
            chained_at=row["chained_at"],
            details_text=row["details_text"],
            seal=row["seal"],
        )
        previous = sealing.link_hash(previous, content, link)
        owner.execute(
            "UPDATE core_auditentry SET number = %s, hash = %s WHERE id = %s", [number, previous, row["id"]]
        )
    owner.execute(
        "UPDATE core_auditchain SET number = %s, hash = %s WHERE organization_id = %s",
        [len(rows), previous, organization_id],
    )

"""What the audit trail costs: a write with and without an entry in pairs, the relay's chaining, verification."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chatsystem.testing.servers import start_servers
from tests.benchmarks.figures import figure, middle, percentile, progress

PAIRS = {"quick": 1500, "standard": 5000, "full": 20_000}
ENTRIES = {"quick": 10_000, "standard": 50_000, "full": 200_000}
GOAL_MS = 1.0


def run(size: str) -> None:
    """Print the figures."""
    servers = start_servers()
    try:
        os.environ.update(servers.environment())
        os.environ["DJANGO_SETTINGS_MODULE"] = "chatsystem.settings.test"
        import django

        django.setup()
        _as_role("CHATSYSTEM_DATABASE_OWNER_URL", _migrate)
        organization_id = _organization()
        _writes(organization_id, PAIRS[size])
        _chain(organization_id, ENTRIES[size])
    finally:
        from django.db import connections

        connections.close_all()
        servers.closing.close()


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _organization() -> UUID:
    from apps.accounts.services.organizations import create_organization

    return create_organization(slug="bench", name="Bench")


def _as_role(variable: str, work: Callable[[], Any]) -> Any:
    from django.db import connection

    from chatsystem.settings.parts.database import parse

    app = connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = parse(os.environ[variable])["USER"]
    try:
        return work()
    finally:
        connection.close()
        connection.settings_dict["USER"] = app


def _writes(organization_id: UUID, pairs: int) -> None:
    """One row changed and committed; every second one with an entry, in changing order."""
    from django.db import transaction

    from apps.accounts.models import Organization
    from apps.core import origin, tenancy
    from apps.core.services import audit

    def write(*, is_recorded: bool) -> float:
        begun = time.perf_counter()
        with transaction.atomic():
            Organization.objects.filter(pk=organization_id).update(name=f"Bench {begun}")
            if is_recorded:
                audit.record(
                    organization_id=organization_id,
                    action="organization.changed",
                    actor_id=organization_id,
                    object_type="organization",
                    object_id=organization_id,
                    details={"fields": ["name"]},
                )
        return (time.perf_counter() - begun) * 1000

    plain, recorded = [], []
    with tenancy.use(organization_id), origin.use(address="192.0.2.1", session="s"):
        for pair in range(pairs + 100):
            for is_recorded in (pair % 2 == 0, pair % 2 == 1):
                took = write(is_recorded=is_recorded)
                if pair >= 100:
                    (recorded if is_recorded else plain).append(took)
    extra = [after - before for before, after in zip(plain, recorded, strict=True)]
    progress(f"{pairs} pairs: {middle(plain):.2f} ms without, {middle(recorded):.2f} ms with an entry")
    figure(bench="audit", name="write_without_p50", value=middle(plain), unit="ms")
    figure(bench="audit", name="write_extra_p50", value=middle(extra), unit="ms", goal=GOAL_MS)
    figure(
        bench="audit",
        name="write_extra_p95",
        value=percentile(recorded, 0.95) - percentile(plain, 0.95),
        unit="ms",
        goal=GOAL_MS,
    )


def _chain(organization_id: UUID, entries: int) -> None:
    """How fast a backlog is chained and a trail verified."""
    from django.db import transaction

    from apps.core import tenancy
    from apps.core.services import audit, audit_chain
    from apps.security.selectors.verification import verify_chain

    with tenancy.use(organization_id):
        for _ in range(entries // 500):
            with transaction.atomic():
                for number in range(500):
                    audit.record(
                        organization_id=organization_id,
                        action="organization.changed",
                        actor_id=organization_id,
                        details={"number": number},
                    )

    def relay() -> float:
        begun = time.perf_counter()
        while audit_chain.chain_waiting():
            pass
        return time.perf_counter() - begun

    took = _as_role("CHATSYSTEM_DATABASE_PLATFORM_URL", relay)
    figure(bench="audit", name="chained", value=entries / took, unit="entries/s", better="higher")
    begun = time.perf_counter()
    report = verify_chain(organization_id)
    took = time.perf_counter() - begun
    if report.findings:
        raise RuntimeError(report.findings[0].text)
    figure(bench="audit", name="verified", value=report.entries / took, unit="entries/s", better="higher")

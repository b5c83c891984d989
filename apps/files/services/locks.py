"""Locks on things that are no row: a count, a sum, a content. All end with the transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import connection


def lock(what: str, organization_id: UUID, detail: str = "") -> None:
    """Wait until nobody else holds the same name, then hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{what}:{organization_id}:{detail}"]
        )

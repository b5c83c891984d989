"""Take a person's clear values out of the trail; the chain holds references to them only, and stays whole."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from apps.core import tenancy
from apps.core.services import audit
from apps.security.actions import EMPTIED


def empty_person(
    *, organization_id: UUID, person_id: UUID, spellings: Iterable[str] = (), actor_id: UUID | None
) -> int:
    """Empty addresses and names of one person in an organization's trail; return how many values went.

    The caller has decided about rights and holds. How many is recorded, so that verification can tell an erasure from
    an edit. For a person's acts without an organization, call it once more with `audit.PLATFORM`.

    Args:
        spellings: e-mail addresses and names by which entries may mean the person.
    """
    wanted = sorted({text.strip().lower() for text in spellings if text.strip()})
    with transaction.atomic(), tenancy.use(organization_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT core_empty_audit_person(%s, %s)", [person_id, wanted])
            emptied = int(cursor.fetchone()[0])
        audit.record(
            organization_id=organization_id,
            action=EMPTIED,
            actor_id=actor_id,
            object_type="person",
            object_id=person_id,
            details={"emptied": emptied},
        )
    return emptied

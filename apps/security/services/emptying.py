"""Take a person's clear values out of the trail; the chain holds references to them only, and stays whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core import tenancy
from apps.core.data_subjects import Batch, Person
from apps.core.services import audit
from apps.security.actions import EMPTIED
from apps.security.models import AuditCheck


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


def erase_in_trail(person: Person, _cursor: Any) -> Batch:
    """Empty the person's values for an erasure, also in the installation's own trail where the account goes.

    The organization keeps neither name nor address, even where another one answers for the account.
    """
    chains = [person.organization_id, *([audit.PLATFORM] if person.leaves_for_good else [])]
    done = sum(
        empty_person(
            organization_id=chain,
            person_id=person.id,
            spellings=(person.name, person.email),
            actor_id=None,
        )
        for chain in chains
    )
    done += AuditCheck.objects.filter(
        organization_id=person.organization_id, requested_by_id=person.id
    ).update(requested_by_id=None)
    return Batch(done)

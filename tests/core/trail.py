"""The trail from outside: as the owner, who can turn triggers off, and as the relay, who chains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.core import tenancy
from apps.core.auditing.actions import register_action
from apps.core.models import AuditEntry
from apps.core.services import audit
from tests.core.events import ORGANIZATION

TESTED = register_action("test.done", "Tested")
ACTOR = UUID(int=70)


def act(organization_id: UUID | None = ORGANIZATION, **values: Any) -> None:
    """Record one entry in its own transaction."""
    with transaction.atomic():
        audit.record(**{"action": TESTED, "actor_id": ACTOR, "organization_id": organization_id, **values})


def entries(organization_id: UUID = ORGANIZATION) -> list[AuditEntry]:
    """Return the trail of an organization in the order it was written."""
    with tenancy.use(organization_id):
        return list(AuditEntry.objects.filter(organization_id=organization_id).order_by("id"))


@contextmanager
def organization_context(organization_id: UUID = ORGANIZATION) -> Iterator[Any]:
    """Open a cursor inside one organization."""
    with tenancy.use(organization_id), connection.cursor() as cursor:
        yield cursor

"""Seats of guests that end by themselves, and who invited them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from apps.accounts.models import Invitation, Member
from apps.core import tenancy


@dataclass(frozen=True, kw_only=True)
class EndingSeat:
    """A seat that ends; `invited_by` is None where nobody is known who did."""

    member_id: UUID
    principal_id: UUID
    name: str
    organization_name: str
    ends_at: datetime
    invited_by: UUID | None


def seats_ending_by(until: datetime) -> list[EndingSeat]:
    """Return the open seats of the current organization that end until then, the next first. One query."""
    return _views(_open().filter(expires_at__lte=until))


def ending_seats(member_ids: Collection[UUID]) -> dict[UUID, EndingSeat]:
    """Return which of these seats end, while they are open. One query."""
    return {seat.member_id: seat for seat in _views(_open().filter(pk__in=list(member_ids)))}


def _open() -> QuerySet[Member]:
    return Member.objects.filter(
        organization_id=tenancy.current(), deactivated_at=None, expires_at__gt=timezone.now()
    )


def _views(rows: QuerySet[Member]) -> list[EndingSeat]:
    came_by = Invitation.objects.filter(
        organization_id=OuterRef("organization_id"), email__iexact=OuterRef("user__email")
    ).exclude(accepted_at=None)
    inviters = came_by.order_by("-accepted_at").values("invited_by_id")[:1]
    found = rows.annotate(inviter=Subquery(inviters)).order_by("expires_at", "pk")
    names = ("pk", "user_id", "name", "organization__name", "expires_at", "inviter")
    return [
        EndingSeat(
            member_id=pk,
            principal_id=person,
            name=name,
            organization_name=organization,
            ends_at=ends_at,
            invited_by=inviter,
        )
        for pk, person, name, organization, ends_at, inviter in found.values_list(*names)
    ]

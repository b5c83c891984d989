"""Numbers of an organization's members, for its console."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import Lower

from apps.accounts.models import Member, Organization, User
from apps.accounts.types import GUEST, OrganizationView
from apps.core import tenancy


@dataclass(frozen=True)
class MemberCounts:
    """Active members by what they are, and those who are deactivated."""

    people: int
    guests: int
    agents: int
    inactive: int


def list_organization_ids() -> list[UUID]:
    """Return every organization of this server, oldest first, for work of the house. One query."""
    return list(Organization.objects.order_by("pk").values_list("pk", flat=True))


def count_members() -> MemberCounts:
    """Return the numbers of the current organization. One query."""
    active, is_person = Q(deactivated_at=None), Q(user__kind=User.Kind.PERSON)
    found = Member.objects.filter(organization_id=tenancy.current()).aggregate(
        people=Count("pk", filter=active & is_person & ~Q(role__key=GUEST)),
        guests=Count("pk", filter=active & is_person & Q(role__key=GUEST)),
        agents=Count("pk", filter=active & ~is_person),
        inactive=Count("pk", filter=~active),
    )
    return MemberCounts(**found)


def all_organizations() -> list[OrganizationView]:
    """Return every organization of this server, by name; for its operators. One query."""
    rows = Organization.objects.order_by(Lower("name"), "pk")
    return [OrganizationView(row.pk, row.slug, row.name, row.language) for row in rows]

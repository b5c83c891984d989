"""Numbers of an organization's members, for its console."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models.functions import Lower

from apps.accounts.models import Organization, User
from apps.accounts.types import GUEST, OrganizationView
from apps.core import tenancy

_COUNTS = """
SELECT count(*) FILTER (WHERE m.deactivated_at IS NULL AND u.kind = %(person)s AND r.key <> %(guest)s),
  count(*) FILTER (WHERE m.deactivated_at IS NULL AND u.kind = %(person)s AND r.key = %(guest)s),
  count(*) FILTER (WHERE m.deactivated_at IS NULL AND u.kind <> %(person)s),
  count(*) FILTER (WHERE m.deactivated_at IS NOT NULL)
FROM accounts_member m JOIN accounts_user u ON u.id = m.user_id JOIN accounts_role r ON r.id = m.role_id
WHERE m.organization_id = %(organization)s
"""


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
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTS, {"organization": tenancy.current(), "person": User.Kind.PERSON, "guest": GUEST}
        )
        return MemberCounts(*cursor.fetchone())


def all_organizations() -> list[OrganizationView]:
    """Return every organization of this server, by name; for its operators. One query."""
    rows = Organization.objects.order_by(Lower("name"), "pk")
    return [OrganizationView(row.pk, row.slug, row.name, row.language) for row in rows]

"""The organizations a user has a seat in, asked before one is known."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from apps.accounts.types import OrganizationView
from apps.core.database import planned

_MINE = """
SELECT o.id, o.slug, o.name, o.language
FROM accounts_seats_of(%s) mine JOIN accounts_organization o ON o.id = mine.organization_id
WHERE mine.is_open AND o.is_active AND EXISTS (SELECT FROM accounts_user u WHERE u.id = %s AND u.is_active)
ORDER BY lower(o.name), o.id
"""


def organizations_of(user_id: UUID) -> list[OrganizationView]:
    """Return the organizations a user has an open seat in, by name. One query."""
    with connection.cursor() as cursor:
        planned.execute(cursor, _MINE, [user_id, user_id])
        return [OrganizationView(*row) for row in cursor.fetchall()]


def seats_of(user_id: UUID) -> list[UUID]:
    """Return the organizations a user has or had a seat in, oldest seat first. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM accounts_seats_of(%s) ORDER BY member_id", [user_id])
        return [organization_id for (organization_id,) in cursor.fetchall()]


def open_seats_of(user_id: UUID) -> list[UUID]:
    """Return the organizations a user belongs to, switched off or not, in the order of their ids. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM accounts_seats_of(%s) WHERE is_open ORDER BY organization_id",
            [user_id],
        )
        return [organization_id for (organization_id,) in cursor.fetchall()]


def has_open_seat(user_id: UUID) -> bool:
    """Return whether a user still belongs to some organization, switched off or not. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_seats_of(%s) WHERE is_open)", [user_id])
        return bool(cursor.fetchone()[0])

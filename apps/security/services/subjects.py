"""From a user to the person an export or erasure is about, and back from the request while it works."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from apps.accounts.selectors.personal import find_profile, has_other_seats
from apps.accounts.services.erasing import ensure_placeholder
from apps.core.data_subjects import Person
from apps.security.errors import SubjectNotFound

NOBODY = UUID(int=0)


def person_of(*, organization_id: UUID, user_id: UUID, for_export: bool = False) -> Person:
    """Return the person of the organization.

    Args:
        for_export: nobody will stand in its place, so no placeholder is made.

    Raises:
        SubjectNotFound: no seat in the organization.
    """
    profile = find_profile(organization_id=organization_id, user_id=user_id)
    if profile is None:
        raise SubjectNotFound
    member_id, name, email = profile
    placeholder_id, placeholder_member_id = (
        (NOBODY, NOBODY) if for_export else ensure_placeholder(organization_id=organization_id)
    )
    return Person(
        organization_id=organization_id,
        id=user_id,
        member_id=member_id,
        name=name,
        email=email or "",
        placeholder_id=placeholder_id,
        placeholder_member_id=placeholder_member_id,
        leaves_for_good=not has_other_seats(organization_id=organization_id, user_id=user_id),
    )


def to_json(person: Person) -> dict[str, Any]:
    """Return what a request keeps of the person while its erasure works."""
    return {
        "member": str(person.member_id),
        "name": person.name,
        "email": person.email,
        "placeholder": str(person.placeholder_id),
        "placeholder_member": str(person.placeholder_member_id),
        "leaves_for_good": person.leaves_for_good,
    }


def line_hash(line: str) -> str:
    """Return how the verification knows a line of text without keeping it."""
    return hashlib.sha256(line.strip().encode()).hexdigest()

"""The person a request is about, as it was when the request was made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.core.data_subjects import Person


def from_json(*, organization_id: UUID, user_id: UUID, kept: dict[str, Any]) -> Person:
    """Return the person as it was when the erasure was approved; its rows may be gone."""
    return Person(
        organization_id=organization_id,
        id=user_id,
        member_id=UUID(kept["member"]),
        name=kept["name"],
        email=kept["email"],
        placeholder_id=UUID(kept["placeholder"]),
        placeholder_member_id=UUID(kept["placeholder_member"]),
        leaves_for_good=kept["leaves_for_good"],
    )

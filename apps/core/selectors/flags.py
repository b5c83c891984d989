"""The feature switches as their keepers see them; whether one is on for somebody says `services.flags`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.flag_errors import FlagNotFound
from apps.core.models import FeatureFlag


@dataclass(frozen=True)
class FlagView:
    """A switch.

    Attributes:
        percentage: 0 to 100 of all people, the same ones as it grows.
    """

    key: str
    description: str
    everyone: bool
    percentage: int
    organizations_on: tuple[UUID, ...]
    organizations_off: tuple[UUID, ...]
    people_on: tuple[UUID, ...]
    people_off: tuple[UUID, ...]
    updated_at: datetime

    def for_organization(self, organization_id: UUID) -> str:
        """Return what the organization decided: `on`, `off`, or empty where it did not."""
        if organization_id in self.organizations_off:
            return "off"
        return "on" if organization_id in self.organizations_on else ""


def list_flags() -> list[FlagView]:
    """Return all switches by key. One query."""
    return [view_of(flag) for flag in FeatureFlag.objects.order_by("key")]


def get_flag(key: str) -> FlagView:
    """Return one switch.

    Raises:
        FlagNotFound.
    """
    flag = FeatureFlag.objects.filter(key=key).first()
    if flag is None:
        raise FlagNotFound
    return view_of(flag)


def view_of(flag: FeatureFlag) -> FlagView:
    """Return the plain view of a row."""
    return FlagView(
        key=flag.key,
        description=flag.description,
        everyone=flag.everyone,
        percentage=flag.percentage,
        organizations_on=tuple(flag.organizations_on),
        organizations_off=tuple(flag.organizations_off),
        people_on=tuple(flag.people_on),
        people_off=tuple(flag.people_off),
        updated_at=flag.updated_at,
    )

"""The encryption keys and how much each still holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from apps.accounts.selectors.administration import list_organization_ids
from apps.core import tenancy
from apps.core.services import key_rotation, secrets


@dataclass(frozen=True)
class KeyView:
    """One key.

    Attributes:
        is_known: it is in the ring; one that is not and still holds secrets makes them unreadable.
        can_retire: nothing needs it any more.
    """

    id: str
    secrets: int
    is_current: bool
    is_known: bool

    @property
    def can_retire(self) -> bool:
        """Return whether the key may be taken out of the settings."""
        return self.is_known and not self.is_current and self.secrets == 0


def list_keys() -> list[KeyView]:
    """Return the keys of the ring, then others that rows name. One query a place and organization."""
    counts: Counter[str] = Counter()
    for place in key_rotation.places():
        if place.is_tenant:
            for organization_id in list_organization_ids():
                with tenancy.use(organization_id):
                    counts += place.count(organization_id)
        else:
            counts += place.count(None)
    ring = secrets.key_ids()
    return [
        KeyView(key_id, counts[key_id], key_id == ring[0], key_id in ring)
        for key_id in [*ring, *sorted(counts.keys() - set(ring))]
    ]

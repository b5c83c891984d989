"""Which organizations there are, for work that fans out over all of them."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import Organization


def slug_of(organization_id: UUID) -> str:
    """Return what addresses call an organization. One query."""
    return Organization.objects.values_list("slug", flat=True).get(pk=organization_id)


def names_of_all() -> dict[UUID, str]:
    """Return the slugs of all organizations by id, in the order of their slugs. One query."""
    return dict(Organization.objects.order_by("slug").values_list("pk", "slug"))

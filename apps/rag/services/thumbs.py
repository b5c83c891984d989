"""Say whether a hit of an own search was good."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.rag.errors import HitNotFound
from apps.rag.models import SearchThumb
from apps.rag.selectors.traces import own_searches
from apps.rag.services import traces


def give_thumb(*, principal: Principal, search_id: UUID, number: int, is_good: bool) -> None:
    """Say that a hit was good, or that it was not; what was said before is replaced. Its search was meant, then.

    Args:
        number: of the hit on its page, from 1.

    Raises:
        PermissionMissing, HitNotFound.
    """
    access.require(principal, "search.use")
    with transaction.atomic():
        _lock_own(principal, search_id, number)
        SearchThumb.objects.update_or_create(
            organization_id=principal.organization_id, trace_id=search_id, number=number,
            defaults={"is_good": is_good},
        )  # fmt: skip
        traces.finish(principal=principal, search_id=search_id)


def take_thumb_back(*, principal: Principal, search_id: UUID, number: int) -> None:
    """Say nothing about a hit any more; harmless where nothing was said.

    Raises:
        PermissionMissing, HitNotFound.
    """
    access.require(principal, "search.use")
    with transaction.atomic():
        _lock_own(principal, search_id, number)
        SearchThumb.objects.filter(
            organization_id=principal.organization_id, trace_id=search_id, number=number
        ).delete()


def _lock_own(principal: Principal, search_id: UUID, number: int) -> None:
    """Hold an own search, so that it is not too old before the thumb is there."""
    rows = own_searches(principal).filter(pk=search_id).select_for_update(no_key=True)
    hit_count = rows.values_list("hit_count", flat=True).first()
    if hit_count is None or not 1 <= number <= hit_count:
        raise HitNotFound

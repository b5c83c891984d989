"""Look at what people searched for: that is a privileged act, and stands in the audit trail with what was looked at."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.rag import actions
from apps.rag.selectors import traces
from apps.rag.selectors.traces import SearchLine, SearchRecord, Which


def look_at_searches(
    principal: Principal, *, which: Which = "", origin: str = "", offset: int, limit: int
) -> list[SearchLine]:
    """Return searches as `selectors.traces.list_searches` does, and record that they were looked at.

    Raises:
        PermissionMissing.
    """
    with transaction.atomic():
        found = traces.list_searches(principal, which=which, origin=origin, offset=offset, limit=limit)
        if found:
            trail.note(
                principal, actions.SEARCHES_LISTED, "search", which=which, origin=origin, shown=len(found)
            )
    return found


def look_at_search(principal: Principal, search_id: UUID) -> SearchRecord:
    """Return one search with who searched, and record that it was looked at.

    Raises:
        PermissionMissing, SearchNotFound.
    """
    with transaction.atomic():
        found = traces.get_search(principal, search_id)
        searcher = found.searcher
        trail.note(
            principal,
            actions.SEARCH_OPENED,
            "search",
            search_id,
            searcher=str(searcher.id) if searcher else "",
        )
    return found

"""Export the trail as one JSON object a line; that it was exported is recorded first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.db import transaction

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.security.actions import EXPORTED
from apps.security.selectors.trail import views_of, visible_entries
from apps.security.types import EntryView, Filters

EVERYTHING = Filters()
PAGE = 1000


def export_lines(*, principal: Principal, filters: Filters) -> Iterator[bytes]:
    """Record the export, then return the entries that fit, oldest first, as lines; read page by page as they are sent.

    Raises:
        PermissionMissing.
    """
    rows = visible_entries(principal, filters)
    with transaction.atomic():
        trail.note(principal, EXPORTED, "audit_trail", **_said(filters))
    last = rows.order_by("-id").values_list("pk", flat=True).first() or 0

    def lines() -> Iterator[bytes]:
        after = 0
        while True:
            with tenancy.use(principal.organization_id):
                page = list(rows.filter(pk__gt=after, pk__lte=last).order_by("id")[:PAGE])
                views = views_of(page)
            yield from (as_line(view) for view in views)
            if len(page) < PAGE:
                return
            after = page[-1].pk

    return lines()


def as_line(view: EntryView) -> bytes:
    """Return an entry as one line of JSON."""
    return orjson.dumps(view, option=orjson.OPT_APPEND_NEWLINE)


def _said(filters: Filters) -> dict[str, Any]:
    """What was asked for, without what was typed about people."""
    return {
        "people_ids": None if filters.people is None else [str(one) for one in filters.people],
        "acts": filters.action,
        "object_id": filters.object_id,
        "outcome": filters.outcome,
        "since": filters.since.isoformat() if filters.since else "",
        "until": filters.until.isoformat() if filters.until else "",
    }

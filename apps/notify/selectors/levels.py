"""Who wants to hear what of a place, and whose keywords a text holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.notify.models import Keyword, Level, Preferences, Standing
from apps.notify.types import ALL

_KEYWORDS = """
SELECT DISTINCT principal_id, word FROM notify_keyword
WHERE organization_id = %s AND strpos(lower(%s), word) > 0
"""


def levels_at(places: Sequence[str], *, among: Collection[UUID] | None = None) -> dict[UUID, str]:
    """Return what each person chose for the nearest of the places; who chose nothing is absent. One query.

    Args:
        places: nearest first.
    """
    if not places:
        return {}
    rows = Level.objects.filter(organization_id=tenancy.current(), place__in=places)
    if among is not None:
        rows = rows.filter(principal_id__in=among)
    near = {place: number for number, place in enumerate(places)}
    found = sorted(rows.values_list("principal_id", "place", "level"), key=lambda row: -near[row[1]])
    return {person: level for person, _place, level in found}


def listeners(place: str) -> set[UUID]:
    """Return who chose to hear everything of one place. One query."""
    rows = Level.objects.filter(organization_id=tenancy.current(), place=place, level=ALL)
    return set(rows.values_list("principal_id", flat=True))


def listeners_anywhere() -> tuple[set[UUID], bool]:
    """Return who chose to hear everything of all it is in, and whether those who chose nothing do. Two queries."""
    organization = tenancy.current()
    rows = Preferences.objects.filter(organization_id=organization, level=ALL)
    everybody = Standing.objects.filter(organization_id=organization, level=ALL).exists()
    return set(rows.values_list("principal_id", flat=True)), everybody


def list_levels(principal: Principal) -> dict[str, str]:
    """Return the places the principal set a level for. One query."""
    rows = Level.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return dict(rows.order_by("place").values_list("place", "level"))


def owners_of_words_in(text: str) -> set[UUID]:
    """Return whose keywords a text holds as whole words, whatever their case. One query.

    Says nothing of who may read the text.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEYWORDS, [tenancy.current(), text])
        return {person for person, word in cursor.fetchall() if _holds(text.lower(), word)}


def list_keywords(principal: Principal) -> list[str]:
    """Return the principal's keywords by their letters. One query."""
    rows = Keyword.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return list(rows.order_by("word").values_list("word", flat=True))


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None

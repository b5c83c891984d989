"""Who wants to hear what of a place, and whose keywords a text holds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.database import planned
from apps.notify.models import Keyword, Level
from apps.notify.types import ALL

_LISTENING = """
SELECT 'word', principal_id, word FROM notify_keyword
WHERE organization_id = %(organization)s AND strpos(lower(%(text)s::text), word) > 0
UNION ALL SELECT 'place', principal_id, place FROM notify_level
WHERE organization_id = %(organization)s AND place = ANY(%(places)s) AND (level = %(all)s OR place = %(own)s)
UNION ALL SELECT 'anywhere', principal_id, '' FROM notify_preferences
WHERE organization_id = %(organization)s AND level = %(all)s
UNION ALL SELECT 'default', NULL, '' FROM notify_standing
WHERE organization_id = %(organization)s AND level = %(all)s
"""


@dataclass(frozen=True)
class Listening:
    """Who wants to hear of what is said somewhere.

    Attributes:
        at: of each place, who chose to hear everything there; of `own` who chose anything.
        anywhere: who chose to hear everything of all it is in. by_default: whether those who chose nothing do.
        words: whose keywords the text holds as whole words, whatever their case.
    """

    at: Mapping[str, AbstractSet[UUID]]
    anywhere: AbstractSet[UUID]
    by_default: bool
    words: AbstractSet[UUID]


NOBODY = Listening(at={}, anywhere=frozenset(), by_default=False, words=frozenset())


class Chosen(NamedTuple):
    """What a person wants of a place."""

    place: str
    level: str


def levels_at(places: Sequence[str], *, among: Collection[UUID] | None = None) -> dict[UUID, Chosen]:
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
    return {person: Chosen(place, level) for person, place, level in found}


def listening(places: Sequence[str], text: str, *, own: str = "") -> Listening:
    """Return who wants to hear of everything said here, and whose words a text holds. One query.

    Says nothing of who may read the text.

    Args:
        own: the one of the places of which whoever chose anything is asked for.
    """
    named = {
        "organization": tenancy.current(), "places": list(places), "text": text, "all": ALL, "own": own,
    }  # fmt: skip
    at: dict[str, set[UUID]] = defaultdict(set)
    anywhere: set[UUID] = set()
    words: set[UUID] = set()
    by_default = False
    with connection.cursor() as cursor:
        planned.execute(cursor, _LISTENING, named)
        for why, person, what in cursor.fetchall():
            match why:
                case "place":
                    at[what].add(person)
                case "anywhere":
                    anywhere.add(person)
                case "default":
                    by_default = True
                case "word" if _holds(text.lower(), what):
                    words.add(person)
    return Listening(at=dict(at), anywhere=anywhere, by_default=by_default, words=words)


def level_of(principal: Principal, place: str) -> str:
    """Return what the principal chose for a place, or nothing. One query."""
    chosen = levels_at((place,), among=(principal.id,)).get(principal.id)
    return chosen.level if chosen else ""


def list_levels(principal: Principal) -> dict[str, str]:
    """Return the places the principal set a level for. One query."""
    rows = Level.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return dict(rows.order_by("place").values_list("place", "level"))


def list_keywords(principal: Principal) -> list[str]:
    """Return the principal's keywords by their letters. One query."""
    rows = Keyword.objects.filter(organization_id=principal.organization_id, principal_id=principal.id)
    return list(rows.order_by("word").values_list("word", flat=True))


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None

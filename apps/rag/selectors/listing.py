"""The statement that lists: the newest messages that fulfil every operator and hold every word of a query."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from django.db import connection

from apps.accounts.types import Principal
from apps.chat.selectors.search.understanding import Demand
from apps.rag.errors import CursorUnknown
from apps.rag.selectors.ranking import Reach, demanded
from apps.rag.text.query import ParsedQuery

_LIST = (
    "SELECT message, chunk_time, moment FROM rag_list(%s::uuid[], %s, %s::uuid[], %s::text[], %s::int[], %s::text[], "
    "%s::text[], %s::text[], %s::text[], %s::jsonb, %s, %s, %s, %s)"
)
_LONGEST_CURSOR = 300


@dataclass(frozen=True, slots=True)
class Listed:
    """A message and its place in the list: newest first by the time of the passage, then by its own."""

    message: UUID
    passage_time: dt.datetime
    sent_at: dt.datetime


def list_messages(
    *,
    principal: Principal,
    reach: Reach,
    query: ParsedQuery,
    demands: Sequence[Demand],
    limit: int,
    after: Listed | None = None,
) -> list[Listed]:
    """Return what is in reach of the messages that fit, newest first. One statement.

    Args:
        after: the last one of the page before.
    """
    words = demanded(query)
    with connection.cursor() as cursor:
        cursor.execute(
            _LIST,
            [
                list(dict.fromkeys(reach.principals)),
                principal.on_behalf_of or principal.id,
                None if reach.scopes is None else sorted(reach.scopes),
                None if reach.classes is None else sorted(reach.classes),
                words.numbers,
                words.languages,
                words.forms,
                list(query.phrases),
                list(query.excluded),
                _json(demands),
                after.passage_time if after else None,
                after.sent_at if after else None,
                after.message if after else None,
                limit,
            ],
        )
        return [Listed(*row) for row in cursor.fetchall()]


def _json(demands: Sequence[Demand]) -> str:
    return orjson.dumps(
        [
            {"filter": one.condition.filter, "values": one.condition.values, "not": one.is_negated}
            for one in demands
        ]
    ).decode()


def cursor_of(last: Listed) -> str:
    """Return the opaque place after a message."""
    told = [last.passage_time.isoformat(), last.sent_at.isoformat(), str(last.message)]
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def place_of(cursor: str) -> Listed | None:
    """Return the place that a cursor names, None for the beginning.

    Raises:
        CursorUnknown.
    """
    if not cursor:
        return None
    try:
        told = orjson.loads(base64.urlsafe_b64decode(cursor[:_LONGEST_CURSOR] + "=" * (-len(cursor) % 4)))
        passage_time, sent_at, message = told
        found = Listed(
            UUID(message), dt.datetime.fromisoformat(passage_time), dt.datetime.fromisoformat(sent_at)
        )
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise CursorUnknown from error
    if found.passage_time.tzinfo is None or found.sent_at.tzinfo is None:
        raise CursorUnknown
    return found

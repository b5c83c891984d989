"""Pages by cursor: stable while rows come and go, and as fast on the last page as on the first.

A cursor is opaque to clients: the position of the last row seen, its direction and the order it belongs to, in
base64. It carries no right: every page asks again what the reader may see.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from rest_framework import serializers

from apps.core.api.serializers import CleanText, StrictSerializer, read_query
from apps.core.http.errors import CursorInvalid

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 200
_VERSION = 1
_LONGEST_CURSOR = 600

Row = TypeVar("Row")
Other = TypeVar("Other")
Instance = TypeVar("Instance", bound=Model)
Kind = type[UUID] | type[str] | type[int] | type[dt.datetime]


@dataclass(frozen=True)
class Order:
    """What a list is sorted by; the last column must be unique, so that no row is skipped or doubled.

    Attributes:
        columns: (field, type of its values), most significant first.
        descending: for all columns.
    """

    columns: tuple[tuple[str, Kind], ...]
    descending: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the fields."""
        return tuple(name for name, _kind in self.columns)

    @property
    def mark(self) -> str:
        """Return what tells this order from others inside a cursor."""
        return ("-" if self.descending else "+") + ",".join(self.names)


NEWEST_FIRST = Order((("created_at", dt.datetime), ("id", UUID)), descending=True)
OLDEST_FIRST = Order((("created_at", dt.datetime), ("id", UUID)))
BY_NAME = Order((("name", str), ("id", UUID)))


@dataclass(frozen=True)
class Position:
    """Where a page begins: after these values, or before them when going back; the first page has none."""

    values: tuple[Any, ...] = ()
    is_backwards: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in their order, and the cursors of the pages around them (None at an end)."""

    rows: list[Row]
    next: str | None = None
    previous: str | None = None

    def map(self, change: Callable[[Row], Other]) -> Page[Other]:
        """Return the page with every row changed."""
        return Page([change(row) for row in self.rows], self.next, self.previous)

    def as_dict(self, request: HttpRequest, results: Iterable[Any] | None = None) -> dict[str, Any]:
        """Return the answer of a list endpoint: `results`, and `next` and `previous` as addresses."""
        return {
            "results": list(self.rows if results is None else results),
            "next": _address(request, self.next),
            "previous": _address(request, self.previous),
        }


class PageQuery(StrictSerializer):
    """Parameters of every list; a list with filters inherits."""

    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=DEFAULT_LIMIT)
    cursor = CleanText(max_length=_LONGEST_CURSOR, required=False)


def read_page(
    request: HttpRequest, order: Order, query: type[PageQuery] = PageQuery
) -> tuple[Position, int, dict[str, Any]]:
    """Return position, limit and the other parameters of a list request.

    Raises:
        InvalidInput, CursorInvalid.
    """
    values = read_query(request, query)
    limit: int = values.pop("limit")
    return decode(values.pop("cursor", None), order), limit, values


def encode(values: Sequence[Any], order: Order, *, is_backwards: bool = False) -> str:
    """Return the cursor of a row's values."""
    body = orjson.dumps([_VERSION, order.mark, int(is_backwards), [_written(value) for value in values]])
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def decode(cursor: str | None, order: Order) -> Position:
    """Return the position a cursor names; None is the first page.

    Raises:
        CursorInvalid: not a cursor of this order.
    """
    if not cursor:
        return Position()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, mark, backwards, values = orjson.loads(raw)
        if [version, mark] != [_VERSION, order.mark] or len(values) != len(order.columns):
            raise CursorInvalid
        read = tuple(_read(value, kind) for value, (_name, kind) in zip(values, order.columns, strict=True))
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise CursorInvalid from error
    return Position(read, bool(backwards))


def paginate(rows: QuerySet[Instance], *, order: Order, position: Position, limit: int) -> Page[Instance]:
    """Return one page of a queryset. One query, `limit + 1` rows; the index of the order serves it."""
    forwards = order.descending == position.is_backwards  # ascending in the statement
    if position.values:
        rows = rows.filter(_beyond(order.names, position.values, "gt" if forwards else "lt"))
    rows = rows.order_by(*(name if forwards else f"-{name}" for name in order.names))
    return page_of(list(rows[: limit + 1]), order=order, position=position, limit=limit)


def page_of(
    found: list[Row],
    *,
    order: Order,
    position: Position,
    limit: int,
    key: Callable[[Row], Sequence[Any]] | None = None,
) -> Page[Row]:
    """Cut a page from rows that a statement found.

    Args:
        found: up to `limit + 1` rows from the position on, in the direction of travel.
        key: the values of a row; without one they are read from its attributes.
    """
    key = key or _attributes(order)
    has_more = len(found) > limit
    rows = found[:limit]
    if position.is_backwards:
        rows.reverse()
    if not rows:
        return Page([])
    has_next = has_more if not position.is_backwards else True
    has_previous = has_more if position.is_backwards else bool(position.values)
    return Page(
        rows,
        encode(key(rows[-1]), order) if has_next else None,
        encode(key(rows[0]), order, is_backwards=True) if has_previous else None,
    )


def page_of_list(
    rows: Iterable[Row],
    *,
    order: Order,
    position: Position,
    limit: int,
    key: Callable[[Row], Sequence[Any]] | None = None,
) -> Page[Row]:
    """Return one page of a short list that is in memory; it is sorted here."""
    values_of = key or _attributes(order)
    forwards = order.descending == position.is_backwards
    keyed = sorted(
        ((tuple(values_of(row)), row) for row in rows), key=lambda item: item[0], reverse=not forwards
    )
    if position.values:
        beyond = operator.gt if forwards else operator.lt
        keyed = [item for item in keyed if beyond(item[0], position.values)]
    found = [row for _values, row in keyed[: limit + 1]]
    return page_of(found, order=order, position=position, limit=limit, key=values_of)


def _beyond(names: Sequence[str], values: Sequence[Any], comparison: str) -> Q:
    """Return (a, b) > (x, y) in a form whose first part an index can use."""
    condition = Q(**{f"{names[-1]}__{comparison}": values[-1]})
    for name, value in zip(reversed(names[:-1]), reversed(values[:-1]), strict=True):
        condition = Q(**{f"{name}__{comparison}e": value}) & (
            Q(**{f"{name}__{comparison}": value}) | condition
        )
    return condition


def _attributes(order: Order) -> Callable[[Any], Sequence[Any]]:
    def values(row: Any) -> list[Any]:  # any row with these attributes
        found = []
        for name in order.names:
            value = row
            for part in name.split("__"):
                value = getattr(value, part)
            found.append(value)
        return found

    return values


def _address(request: HttpRequest, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    others = [(name, value) for name, values in request.GET.lists() if name != "cursor" for value in values]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*others, ('cursor', cursor)])}")


def _written(value: Any) -> str | int:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)


def _read(value: Any, kind: Kind) -> Any:
    if kind is int:
        if not isinstance(value, int) or abs(value) >= 1 << 63:
            raise CursorInvalid
        return value
    if not isinstance(value, str) or "\0" in value:
        raise CursorInvalid
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise CursorInvalid
        return moment
    return UUID(value) if kind is UUID else value

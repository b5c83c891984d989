"""Cursors: every row once, in both directions, whatever the page size."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.test import RequestFactory

from apps.core import tenancy
from apps.core.api import paging
from apps.core.api.paging import BY_NAME, NEWEST_FIRST, Order, Position, paginate
from apps.core.errors import InvalidInput
from apps.core.http.errors import CursorInvalid
from apps.core.models import FeatureFlag, RetryKey

ORGANIZATION = UUID(int=9)
BY_AGE = Order((("status", int), ("key", str)), descending=True)


@pytest.fixture
def rows(db):
    made = [
        RetryKey(
            organization_id=ORGANIZATION,
            principal_id=UUID(int=1),
            key=f"key-{number:02}",
            request_hash="",
            status=number % 3,
        )
        for number in range(11)
    ]
    with tenancy.use(ORGANIZATION):
        RetryKey.objects.bulk_create(made)
        yield sorted(((row.status, row.key) for row in made), reverse=True)


def walk(cursor, *, limit, back=False):
    seen, pages = [], 0
    while True:
        page = paginate(
            RetryKey.objects.all(), order=BY_AGE, position=paging.decode(cursor, BY_AGE), limit=limit
        )
        found = [(row.status, row.key) for row in page.rows]
        seen = found + seen if back else seen + found
        pages += 1
        following = page.previous if back else page.next
        if following is None or pages > 30:
            return seen, cursor, page
        cursor = following


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 12])
def test_forwards_and_back_see_every_row_once(rows, limit):
    seen, _cursor, last = walk(None, limit=limit)
    assert seen == rows
    if last.previous is None:
        assert limit >= len(rows)
        return
    seen_back, _cursor, first = walk(last.previous, limit=limit, back=True)
    assert seen_back == rows[: len(rows) - len(last.rows)]
    assert first.previous is None


def test_rows_that_come_and_go_shift_nothing(rows):
    first = paginate(RetryKey.objects.all(), order=BY_AGE, position=Position(), limit=4)
    RetryKey.objects.create(
        organization_id=ORGANIZATION, principal_id=UUID(int=1), key="zz", request_hash="", status=9
    )
    RetryKey.objects.filter(key=first.rows[-1].key).delete()
    second = paginate(
        RetryKey.objects.all(), order=BY_AGE, position=paging.decode(first.next, BY_AGE), limit=4
    )
    assert [(row.status, row.key) for row in second.rows] == rows[4:8]


@pytest.mark.parametrize("rows", [1, 20])
def test_a_page_costs_one_query(db, django_assert_num_queries, rows):
    FeatureFlag.objects.bulk_create(FeatureFlag(key=f"flag-{number}") for number in range(rows))
    with django_assert_num_queries(1):
        paginate(FeatureFlag.objects.all(), order=Order((("key", str),)), position=Position(), limit=50)


@dataclass(frozen=True)
class Named:
    name: str
    id: UUID


def test_lists_in_memory_page_alike():
    items = [Named("abc"[number % 3], UUID(int=number)) for number in range(7)]
    seen, cursor = [], None
    while True:
        page = paging.page_of_list(items, order=BY_NAME, position=paging.decode(cursor, BY_NAME), limit=2)
        seen += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert seen == sorted(items, key=lambda item: (item.name, item.id))
    back = paging.page_of_list(items, order=BY_NAME, position=paging.decode(page.previous, BY_NAME), limit=2)
    assert back.rows == seen[4:6]


def broken(cursor):
    return [
        "x", "!!!", cursor[:-4], cursor + "AAAA", "A" * 500, base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b'[1,"-created_at,id",0,["2026-01-01T00:00:00","x"]]').decode(),
        base64.urlsafe_b64encode(b'[1,"-created_at,id",0,[5,6]]').decode(),
        base64.urlsafe_b64encode(b'[1,"-created_at,id",0,[null,null]]').decode(),
        base64.urlsafe_b64encode(b'{"a":1}').decode(), "\u00e4",
        paging.encode(["a", uuid4()], BY_NAME),
    ]  # fmt: skip


def test_a_cursor_that_is_not_ours_is_refused():
    for cursor in broken(paging.encode(["2026-01-01T00:00:00+00:00", uuid4()], NEWEST_FIRST)):
        with pytest.raises(CursorInvalid):
            paging.decode(cursor, NEWEST_FIRST)


def test_answer_holds_addresses_that_keep_the_filters():
    request = RequestFactory().get("/api/v1/things?limit=2&kind=a")
    page = paging.Page(["x"], next="NEXT")
    assert page.as_dict(request) == {
        "results": ["x"],
        "next": "http://testserver/api/v1/things?limit=2&kind=a&cursor=NEXT",
        "previous": None,
    }


def test_a_list_request_is_read_strictly():
    position, limit, values = paging.read_page(RequestFactory().get("/?limit=7"), BY_NAME)
    assert (position, limit, values) == (Position(), 7, {})
    for query in ("limit=0", "limit=201", "limit=x", "page=2", "limit=5&limit=6"):
        with pytest.raises(InvalidInput):
            paging.read_page(RequestFactory().get(f"/?{query}"), BY_NAME)

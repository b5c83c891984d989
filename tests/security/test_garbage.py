"""Garbage in, clean refusal out: no operation answers a fault, whatever it is fed."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories.accounts import MemberFactory, api_key
from tests.security.realm import forget_limits
from tests.security.sizes import by_size, in_turn, pieces
from tests.security.test_every_entrance import ROUTES, address

GARBAGE = [
    b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"name":{"a":1}}',
    b'{"name":["x"],"key":1e308,"body":99999999999999999999999}', b'{"a":1,"a":2}', b"[" * 3000, b'{"extra":true}',
    b'{"name":"' + b"x" * 100_000 + b'"}',
]  # fmt: skip
QUERIES = [
    "limit=0",
    "limit=99999999999999999999",
    "cursor=%00",
    "cursor=AAAA",
    "unknown=1",
    "q=%ff%fe",
    "q=%00",
    "limit=1&limit=2",
]
TYPES = [
    "text/plain",
    "application/xml",
    "multipart/form-data",
    "application/json; charset=utf-16",
    "",
    "x/y; a=\x80",
]
API = [route for route in ROUTES if route.startswith("api/") and "schema" not in route]
SHARED = pieces(list(enumerate(API)))


@pytest.fixture
def caller(db):
    key = api_key(MemberFactory(role="owner")).secret
    client = Client(raise_request_exception=False)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def is_clean(response):
    return response.status_code < 500 and (
        response.status_code < 400 or response.headers.get("Content-Type") == "application/problem+json"
    )


@pytest.mark.parametrize("routes", SHARED)
def test_no_body_makes_a_fault(caller, routes):
    methods = ("post", "put", "patch")
    for number, route in routes:
        forget_limits()
        for place, body in in_turn(list(enumerate(GARBAGE)), number, every=3):
            turn = [methods[(place + number // 3) % 3]]
            for method in by_size(quick=turn, standard=methods, full=methods):
                response = getattr(caller, method)(address(route), body, content_type="application/json")
                assert is_clean(response), (
                    method,
                    route,
                    body[:40],
                    response.status_code,
                    response.content[:300],
                )


@pytest.mark.parametrize("routes", SHARED)
def test_no_query_makes_a_fault(caller, routes):
    for number, route in routes:
        forget_limits()
        for query in in_turn(QUERIES, number, every=3):
            response = caller.get(f"{address(route)}?{query}")
            assert is_clean(response), (route, query, response.status_code, response.content[:300])


@pytest.mark.parametrize("routes", SHARED)
def test_no_media_type_makes_a_fault(caller, routes):
    for number, route in routes:
        forget_limits()
        for content_type in in_turn(TYPES, number, every=3):
            response = caller.post(address(route), b"{}", content_type=content_type)
            assert is_clean(response), (route, content_type, response.status_code, response.content[:300])

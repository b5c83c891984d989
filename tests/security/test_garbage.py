"""Garbage in, clean refusal out: no operation answers a fault, whatever it is fed."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories.accounts import MemberFactory, api_key
from tests.security.sizes import by_size
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
API = [route for route in ROUTES if route.startswith("api/") and "schema" not in route]


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


@pytest.mark.parametrize("route", API)
def test_no_body_makes_a_fault(caller, route):
    methods = ("post", "put", "patch")
    for place, body in enumerate(GARBAGE):
        turn = [methods[(place + len(route)) % 3]]
        for method in by_size(quick=turn, standard=methods, full=methods):
            response = getattr(caller, method)(address(route), body, content_type="application/json")
            assert is_clean(response), (method, body[:40], response.status_code, response.content[:300])


@pytest.mark.parametrize("route", API)
def test_no_query_makes_a_fault(caller, route):
    for query in QUERIES:
        response = caller.get(f"{address(route)}?{query}")
        assert is_clean(response), (query, response.status_code, response.content[:300])


@pytest.mark.parametrize("route", API)
def test_no_media_type_makes_a_fault(caller, route):
    for content_type in (
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "",
        "x/y; a=\x80",
    ):
        response = caller.post(address(route), b"{}", content_type=content_type)
        assert is_clean(response), (content_type, response.status_code, response.content[:300])

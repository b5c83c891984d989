"""JSON in and out."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from io import BytesIO
from uuid import UUID

import pytest
from django.test import RequestFactory
from django.utils.translation import gettext_lazy, override

from apps.core.api.encoding import OrjsonParser, OrjsonRenderer, decode, encode, parse_body
from apps.core.http.errors import BodyTooLarge, Malformed, MediaTypeNotSupported


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nope", b"NaN", b"[1e999]", b'"\\ud800"', b'{"a":"x\\u0000y"}', b'{"a\\u0000":1}', b"\xff\xfe",
        b'"\xed\xa0\x80"', b"[" * 65 + b"]" * 65, b"[" * 5000 + b"]" * 5000, b'{"a":1,"a":2}',
        b'{"x":{"a":1,"b":2,"a":3}}', b"\x00", b"{}{}",
        b'{"n":' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_garbage_is_refused_with_one_code(body):
    with pytest.raises(Malformed) as refused:
        decode(body)
    assert refused.value.code == "core.malformed"
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}), (b" \n", {}), (b'{"a":[1,"\xc3\xa4"]}', {"a": [1, "ä"]}),
        (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
        (b"[" * 3 + b"]" * 3, [[[]]]), (b"9" * 30, 1e30),
    ],
)  # fmt: skip
def test_good_json_is_read(body, value):
    assert decode(body) == value


def test_nesting_up_to_the_limit_is_read():
    assert decode(b"[" * 64 + b"]" * 64)


def test_parser_stops_reading_at_the_limit_of_the_view():
    class View:
        body_limit_bytes = 10

    stream = BytesIO(b"[" + b" " * 100 + b"]")
    with pytest.raises(BodyTooLarge):
        OrjsonParser().parse(stream, "application/json", {"view": View()})
    assert stream.tell() == 11


def test_plain_view_reads_json_only():
    with pytest.raises(MediaTypeNotSupported):
        parse_body(RequestFactory().post("/", b"{}", content_type="text/plain"))
    assert parse_body(
        RequestFactory().post("/", b'{"a":1}', content_type="application/json; charset=utf-8")
    ) == {"a": 1}


def test_renderer_writes_what_apis_expect():
    moment = dt.datetime(2026, 11, 24, 1, 2, 3, tzinfo=dt.UTC)
    uuid = UUID(int=1)
    with override("de"):
        text = encode(
            {
                "when": moment,
                "id": uuid,
                "price": Decimal("1.50"),
                "all": {3, 1},
                "text": gettext_lazy("Close"),
            }
        )
    assert b'"when":"2026-11-24T01:02:03Z"' in text
    assert b'"price":"1.50"' in text
    assert b'"all":[1,3]' in text
    assert OrjsonRenderer().render(None) == b""


def test_bytes_are_not_guessed():
    with pytest.raises(TypeError):
        encode({"raw": b"x"})

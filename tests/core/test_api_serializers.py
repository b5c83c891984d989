"""Strict input."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from rest_framework import serializers

from apps.core.api.serializers import (
    CleanText,
    ExactBoolean,
    QueryBoolean,
    StrictSerializer,
    read_query,
    validated,
)
from apps.core.errors import InvalidInput


class Part(StrictSerializer):
    size = serializers.IntegerField(max_value=5)


class Thing(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    name = CleanText(max_length=10)
    note = CleanText(multiline=True, required=False)
    parts = Part(many=True, required=False)
    on = ExactBoolean(required=False)


class Query(StrictSerializer):
    kind = serializers.ListField(child=serializers.CharField(), required=False)
    open = QueryBoolean(required=False)


def wrong(data):
    with pytest.raises(InvalidInput) as refused:
        validated(Thing(data=data))
    return {(error.field, error.code) for error in refused.value.errors}


def test_unknown_and_read_only_fields_are_named_with_all_other_errors():
    assert wrong({"name": "x" * 11, "owner": 1, "id": 5, "parts": [{"size": 9, "extra": 0}]}) == {
        ("name", "max_length"), ("owner", "unknown"), ("id", "read_only"), ("parts.0.size", "max_value"),
        ("parts.0.extra", "unknown"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["a\0b", "a\ud800b", "a\x07b", "a\nb", "a\tb", 7, True, None, ["a"], {"a": 1}, "", "  "]
)
def test_a_line_of_text_refuses_what_is_none(name):
    assert {field for field, _code in wrong({"name": name})} == {"name"}


def test_text_is_trimmed_composed_and_its_line_breaks_are_one_kind():
    values = validated(Thing(data={"name": " Jose\u0301 ", "note": "a\r\nb\rc\td"}))
    assert values == {"name": "Jos\u00e9", "note": "a\nb\nc\td"}


@pytest.mark.parametrize("value", [1, "true", "on", 0, "yes"])
def test_only_json_booleans_are_booleans(value):
    assert {field for field, _code in wrong({"name": "a", "on": value})} == {"on"}


@pytest.mark.parametrize("data", [[], "text", 5, None])
def test_a_body_that_is_no_object_is_refused(data):
    assert {field for field, _code in wrong(data)} <= {""}


def test_query_takes_lists_where_declared():
    assert read_query(RequestFactory().get("/?kind=a&kind=b&open=true"), Query) == {
        "kind": ["a", "b"],
        "open": True,
    }
    assert read_query(RequestFactory().get("/?open=false"), Query) == {"open": False}
    assert read_query(RequestFactory().get("/"), Query) == {}


@pytest.mark.parametrize("query", ["x=1", "open=1", "open=true&open=false", "kind=a%00b"])
def test_query_refuses_by_name(query):
    with pytest.raises(InvalidInput) as refused:
        read_query(RequestFactory().get(f"/?{query}"), Query)
    assert [error.field.split(".")[0] for error in refused.value.errors] == [
        query[:4].split("=")[0].split("&")[0]
    ]

"""What every operation of the OpenAPI document says."""

from __future__ import annotations

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator

from tests.core.api_views import Flags


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator(patterns=[path("api/v1/flags/", Flags.as_view())]).get_schema(public=True)


def test_operations_have_id_tag_and_description(document):
    operation = document["paths"]["/api/v1/flags/"]["post"]
    assert operation["operationId"] == "flags_create"
    assert operation["tags"] == ["flags"]
    assert operation["description"] == "Make a flag."


def test_refusals_are_problem_documents(document):
    for method, operation in document["paths"]["/api/v1/flags/"].items():
        refusals = {
            code: answer for code, answer in operation["responses"].items() if not code.startswith("2")
        }
        assert set(refusals) == {"400", "401", "403", "429", "default"}, method
        assert {name for answer in refusals.values() for name in answer["content"]} == {
            "application/problem+json"
        }
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        "type", "title", "status", "code", "detail", "request_id", "errors",
    }  # fmt: skip


def test_shared_headers_are_named_where_they_count(document):
    operations = document["paths"]["/api/v1/flags/"]
    named = {
        method: {entry["name"] for entry in operation["parameters"]}
        for method, operation in operations.items()
    }
    assert named == {"get": {"Organization"}, "post": {"Organization", "Idempotency-Key"}}


def test_input_takes_no_other_fields(document):
    assert document["components"]["schemas"]["FlagInputRequest"]["additionalProperties"] is False
    assert "additionalProperties" not in document["components"]["schemas"]["FlagInput"]

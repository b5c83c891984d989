"""The OpenAPI document is right: it is valid, complete, and real answers have the shapes it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import orjson
import pytest
from django.test import Client
from drf_spectacular import validation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from apps.chat.services import messages
from apps.core import tenancy
from tests.factories.accounts import MemberFactory, api_key, principal_of

METHODS = ("get", "post", "put", "patch", "delete")


def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator(api_version="1").get_schema(request=None, public=True)
    return found


DOCUMENT = document()
OPERATIONS = [
    (method, path, operation)
    for path, entry in DOCUMENT["paths"].items()
    for method, operation in entry.items()
]
REGISTRY = Registry().with_resource("doc", Resource(contents=DOCUMENT, specification=DRAFT202012))


def test_it_is_valid_openapi():
    specification = Path(validation.__file__).with_name("openapi_3_1_schema.json")
    assert DOCUMENT["openapi"].startswith("3.1.")
    sent = orjson.loads(OpenApiJsonRenderer().render(DOCUMENT))
    jsonschema_rs.validate(orjson.loads(specification.read_bytes()), sent)
    assert len(OPERATIONS) > 40


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_say_what_they_do(method, path, operation):
    assert method in METHODS
    assert operation["description"].strip()
    assert operation["tags"]
    assert {"default", "401"} <= set(operation["responses"])
    assert any(code.startswith("2") for code in operation["responses"])


def test_operation_ids_are_unique():
    names = [operation["operationId"] for _method, _path, operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.fixture
def owner(db):
    return MemberFactory(role="owner")


@pytest.fixture
def caller(owner):
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {api_key(owner).secret}"
    return client


def differences(path: str, method: str, response: Any) -> list[str]:
    """Return where an answer differs from what the document says of it."""
    answers = DOCUMENT["paths"][path][method]["responses"]
    said = answers.get(str(response.status_code), answers["default"])
    if "content" not in said:
        return [] if not response.content else ["an undeclared body"]
    media_type = response["Content-Type"].partition(";")[0]
    if media_type not in said["content"]:
        return [f"undeclared media type {media_type}"]
    pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}/responses"
    code = str(response.status_code) if str(response.status_code) in answers else "default"
    reference = f"doc#{pointer}/{code}/content/{media_type.replace('/', '~1')}/schema"
    validator = Draft202012Validator({"$ref": reference}, registry=REGISTRY, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(response.json())]


def check(
    client: Client,
    method: str,
    path: str,
    *,
    ids: dict[str, str] | None = None,
    body: Any = None,
    status: int | None = None,
) -> Any:
    """Call an operation and hold its answer against the document."""
    sent = b"" if body is None else orjson.dumps(body)
    response = client.generic(
        method.upper(), path.format(**(ids or {})), sent, content_type="application/json"
    )
    assert status is None or response.status_code == status, response.content
    assert differences(path, method, response) == [], response.content[:600]
    return response


PLAIN = [path for method, path, _operation in OPERATIONS if method == "get" and "{" not in path]


OTHERS = {
    "/api/v1/search/": "needs a question",
    "/api/v1/access/decision/": "needs a person",
    "/api/v1/access/readers/": "needs an object",
    "/api/v1/access/scoped-roles/": "needs an object",
    "/api/v1/access/object-rights/": "needs an object",
    "/api/v1/retention/preview/": "needs a number of days",
    "/api/v1/me/sessions/": "is for people, not for keys",
    "/api/v1/me/tokens/": "is for people, not for keys",
    "/api/v1/me/factors/": "is for people, not for keys",
    "/api/v1/me/consents/": "is for people, not for keys",
    "/api/v1/me/push-subscriptions/": "is for people, not for keys",
}


@pytest.mark.parametrize("path", PLAIN)
def test_lists_and_own_things_match(caller, path):
    check(caller, "get", path, status=None if path in OTHERS else 200)


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_refusals_match(db, method, path, operation):
    address = path.replace("{", "").replace("}", "")
    for part in (
        "conversation_id",
        "message_id",
        "member_id",
        "key_id",
        "role_id",
        "run_id",
        "file_id",
        "document_id",
    ):
        address = address.replace(part, "00000000-0000-7000-8000-000000000000")
    response = Client().generic(method.upper(), address, b"{}", content_type="application/json")
    if response.status_code == 401:
        assert differences(path, method, response) == []


def test_a_conversation_and_its_messages_match(owner, caller):
    base = "/api/v1/conversations/"
    channel = check(caller, "post", base, body={"kind": "channel", "name": "Harbour"}, status=201).json()[
        "id"
    ]
    one = base + "{conversation_id}/"
    here = {"conversation_id": channel}
    check(caller, "get", one, ids=here, status=200)
    check(caller, "patch", one, ids=here, body={"description": "Boats"})
    with tenancy.use(owner.organization_id):
        sent = messages.send_message(
            principal=principal_of(owner), conversation_id=UUID(channel), body="**Hello**", client_key="k"
        )
    check(caller, "get", f"{one}members/", ids=here, status=200)
    check(caller, "put", f"{one}read/", ids=here, body={"sequence": sent.sequence}, status=200)
    check(caller, "put", f"{one}draft/", ids=here, body={"body": "half"}, status=204)
    message, there = "/api/v1/messages/{message_id}/", {"message_id": str(sent.id)}
    check(caller, "get", message, ids=there, status=200)
    check(caller, "post", f"{message}reactions/", ids=there, body={"emoji": "👍"}, status=204)
    check(caller, "patch", message, ids=there, body={"body": "Hello again"}, status=200)
    check(caller, "get", f"{message}revisions/", ids=there, status=200)
    check(caller, "get", base, status=200)
    check(caller, "delete", message, ids=there, status=204)
    check(caller, "get", one, ids={"conversation_id": "00000000-0000-7000-8000-000000000000"}, status=404)


def test_people_roles_and_keys_match(caller):
    role = check(
        caller,
        "post",
        "/api/v1/roles/",
        body={"key": "crew", "name": "Crew", "permissions": ["message.send"]},
    )
    assert role.status_code == 201, role.content
    check(caller, "get", "/api/v1/roles/{role_id}/", ids={"role_id": role.json()["id"]}, status=200)
    members = check(caller, "get", "/api/v1/members/", status=200).json()["results"]
    check(caller, "get", "/api/v1/members/{member_id}/", ids={"member_id": members[0]["id"]}, status=200)
    check(caller, "patch", "/api/v1/me/", body={"title": "Captain"}, status=200)
    check(caller, "patch", "/api/v1/me/", body={"nonsense": 1}, status=400)
    check(caller, "get", "/api/v1/organizations/", status=200)

"""Every door over HTTP, from the URL resolver and the OpenAPI document: what is not listed anywhere is found here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern

from tests.security.test_answers_match_document import DOCUMENT, METHODS
from tests.security.test_every_entrance import routes

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")
SCHEMA = "/api/v1/schema/"
# Parameters that are no row of an organization: a page's own words, and what belongs to the server.
NO_ROW = {
    "slug",
    "name",
    "number",
    "mail_id",
    "secret",
    "token",
    "uidb36",
    "url",
    "app_label",
    "content_type_id",
}
FLAG = "/o/{slug}/console/flags/"  # its `key` names a switch of the operator's


@dataclass(frozen=True)
class Door:
    """A method at an address.

    Attributes:
        path: with its parameters in braces: `/api/v1/runs/{run_id}/`.
        kind: `api`, `page` or `admin`.
    """

    method: str
    path: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def rows(self) -> list[str]:
        """The parameters that name a row of an organization."""
        if self.path.startswith(FLAG) or (self.kind == "page" and "{slug}" not in self.path):
            return []
        return [name for name in self.parameters if name not in NO_ROW]

    @property
    def is_safe(self) -> bool:
        return self.method == "GET"

    @property
    def operation(self) -> dict[str, Any]:
        """What the OpenAPI document says of it."""
        found: dict[str, Any] = DOCUMENT["paths"].get(self.path, {}).get(self.method.lower(), {})
        return found


def plain(route: str) -> str:
    """Return a route as a path with parameters in braces."""
    found = _PARAMETER.sub(r"{\2}", _GROUP.sub(r"{\1}", route))
    return "/" + re.sub(r"[\^$\\?]", "", found)


def kind_of(path: str) -> str:
    return "api" if path.startswith("/api/") else "admin" if path.startswith("/admin/") else "page"


@cache
def patterns() -> dict[str, URLPattern]:
    """Return every route by its path."""
    return {plain(route): pattern for route, pattern in routes()}


@cache
def doors() -> tuple[Door, ...]:
    """Return every door; a page may have two, of the API those of the document."""
    found = []
    for path in sorted(patterns()):
        kind = kind_of(path)
        if kind == "api" and not path.startswith(SCHEMA):
            methods = [method.upper() for method in METHODS if method in DOCUMENT["paths"].get(path, {})]
        else:
            methods = ["GET", "POST"]
        found += [Door(method, path, kind) for method in methods]
    return tuple(found)


def undeclared() -> set[str]:
    """Return routes of the API that the document does not name."""
    return {
        path
        for path in patterns()
        if kind_of(path) == "api" and not path.startswith(SCHEMA) and path not in DOCUMENT["paths"]
    }


def example(schema: dict[str, Any], name: str = "") -> Any:
    """Return the smallest value a schema of the document takes."""
    if "$ref" in schema:
        return example(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
    for word in ("allOf", "oneOf", "anyOf"):
        if word in schema:
            return example(schema[word][0], name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    return _of_kind(kind[0] if isinstance(kind, list) else kind, schema, name)


def _of_kind(kind: str, schema: dict[str, Any], name: str) -> Any:
    if kind == "object":
        wanted = schema.get("required", [])
        return {
            key: example(part, key) for key, part in schema.get("properties", {}).items() if key in wanted
        }
    if kind == "array":
        return [example(schema["items"], name)] * max(1, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return True
    formats = {
        "uuid": "00000000-0000-7000-8000-000000000000",
        "date-time": "2031-01-01T00:00:00Z",
        "email": "somebody@example.org",
    }
    return formats.get(schema.get("format", ""), f"text{name[:8]}")


def body_schema(door: Door) -> dict[str, Any] | None:
    """Return the schema of the JSON body, or None where none is taken."""
    content = door.operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return found

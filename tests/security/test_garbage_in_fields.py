"""SEC-25: garbage in every field of every operation, with real ids, as the owner: a clean refusal, never a fault.

`test_garbage` throws whole bodies at made-up ids; here the object exists, so that the garbage reaches the fields.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.security.crawling import FORMS, address, body_of, call, nothing, undone
from tests.security.doors import body_schema, doors, example
from tests.security.realm import Realm, browser, forget_limits, program
from tests.security.sizes import in_turn, note
from tests.security.test_references import resolved, with_value

pytestmark = [pytest.mark.timeout(900), pytest.mark.enable_socket]
DEEP: Any = []
for _ in range(400):
    DEEP = [DEEP]
VALUES: list[Any] = [
    "\x00", "a\x00b", "\ud800", "a\udfffb", "\u202e\u2066", "x" * 70_000, "", " ", "\n", 0, -1, 1 << 31, 1 << 63,
    1 << 200, -(1 << 63) - 1, 1.5, 1e308, True, None, [], {}, [[]], {"a": {"b": 1}}, ["x"] * 5_000, "NaN", "1e999",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00", "2030-02-30", "00000000-0000-0000-0000-000000000000",
    "../../etc/passwd", "%s%n{0}${7*7}{{7*7}}", "'; DROP TABLE accounts_user; --", "\u0130\u0131\ufb03", "🏳️‍🌈" * 200,
    "a" * 256 + "@example.org", DEEP,
]  # fmt: skip
BODIES = [door for door in doors() if door.kind == "api" and body_schema(door) is not None]
QUERIES = [
    "%00",
    "%ff",
    "%ed%a0%80",
    "-1",
    "9" * 40,
    "1e999",
    "a" * 6000,
    "[]",
    "%F0%9F%92%A9",
    "' OR 1=1 --",
    "null",
]


def encoded(value: Any) -> bytes:
    """Return JSON that may hold what no honest encoder writes: lone surrogates, huge numbers."""
    import json

    return json.dumps(value).encode()


def is_clean(status: int, media_type: str, text: str) -> bool:
    if status >= 500 or "Traceback" in text:
        return False
    return status < 400 or media_type == "application/problem+json"


def test_no_value_in_a_body_makes_a_fault(realm: Realm) -> None:
    client, faults, calls = browser(realm.owner), [], 0
    for turn, door in enumerate(BODIES):
        body, where = body_of(door, realm), address(door, realm)
        schema = resolved(body_schema(door) or {})
        fields = list(schema.get("properties", {}))
        for place, name in enumerate(fields):
            for value in in_turn(VALUES, turn + place, every=14):
                forget_limits()
                sent = encoded(with_value(body, (name,), value))
                with undone():
                    response = client.generic(
                        door.method, where, sent, content_type="application/json",
                        headers={"Organization": realm.organization.slug},
                    )  # fmt: skip
                calls += 1
                media_type = response.headers.get("Content-Type", "").partition(";")[0]
                if not is_clean(response.status_code, media_type, str(response.content[:5000])):
                    faults.append(
                        f"{door.name} {name}={str(value)[:40]!r} -> {response.status_code} {response.content[:200]!r}"
                    )
    note("sec25.body_faults", len(faults))
    note("sec25.body_calls", calls, goal=None)
    assert calls > 150
    nothing(faults)


def test_the_same_field_twice_is_refused_or_one_of_them(realm: Realm) -> None:
    """Duplicate keys: what was checked is what is used; nothing breaks."""
    client, faults = browser(realm.owner), []
    for door in BODIES:
        body, where = body_of(door, realm), address(door, realm)
        if not isinstance(body, dict) or not body:
            continue
        name = next(iter(body))
        twice = b"{" + orjson.dumps(name) + b':"first",' + orjson.dumps(body)[1:]
        forget_limits()
        with undone():
            response = client.generic(
                door.method, where, twice, content_type="application/json",
                headers={"Organization": realm.organization.slug},
            )  # fmt: skip
        if response.status_code >= 500 or b'"first"' in response.content:
            faults.append(f"{door.name} {name} -> {response.status_code} {response.content[:200]!r}")
    note("sec25.duplicate_faults", len(faults))
    nothing(faults)


def test_no_value_in_an_address_makes_a_fault(realm: Realm) -> None:
    client, faults, calls, turn = browser(realm.owner), [], 0, 0
    for door in doors():
        if door.kind != "api" or not door.is_safe:
            continue
        for parameter in door.operation.get("parameters", []):
            if parameter["in"] != "query":
                continue
            beside = "q=crane&" if door.path.endswith("/search/") and parameter["name"] != "q" else ""
            turn += 1
            for value in in_turn(QUERIES, turn, every=6):
                where = f"{address(door, realm)}?{beside}{parameter['name']}={value}"
                answer = call(client, door, where, realm, Organization=realm.organization.slug)
                calls += 1
                if not is_clean(answer.status, answer.media_type, answer.text):
                    faults.append(f"{where[:120]} -> {answer.status} {answer.text[:200]}")
    note("sec25.query_faults", len(faults))
    assert calls > 100
    nothing(faults)


def test_no_value_in_a_form_makes_a_fault(realm: Realm) -> None:
    client, faults, calls = browser(realm.owner), [], 0
    values = [
        "\x00",
        "a\x00b",
        "x" * 70_000,
        "",
        "-1",
        "9" * 40,
        "[]",
        "\u202e",
        "%s{0}",
        "' OR 1=1 --",
        "🏳️‍🌈" * 200,
    ]
    names = {
        "body", "client_key", "thread", "name", "topic", "description", "emoji", "version", "role", "reason", "target",
        "person", "into", "span", "level", "whose",
        "pattern", "question", "q", "days", "networks", "email", "language", "theme", "session", "title", "about",
        "percentage", "key", "member", "action", "people", "permissions", "scopes", "kind", "next",
    }  # fmt: skip
    for turn, door in enumerate(doors()):
        if door.kind != "page" or door.method != "POST":
            continue
        if not all(realm.knows(door.path, name) for name in door.parameters):
            continue
        for value in in_turn(values, turn, every=5):
            form = {**FORMS.get(door.path, {}), **dict.fromkeys(names, value)}
            with undone():
                answer = call(client, door, address(door, realm), realm, body=form)
            calls += 1
            if answer.status >= 500 or "Traceback" in answer.text:
                faults.append(f"{door.name} {value[:20]!r} -> {answer.status} {answer.text[:200]}")
    note("sec25.form_faults", len(faults))
    assert calls > 100
    nothing(faults)


def test_no_query_on_a_page_makes_a_fault(realm: Realm) -> None:
    client, faults = browser(realm.owner), []
    names = (
        "q", "page", "before", "after", "state", "thread", "kind", "person", "action", "since", "until",
        "conversation", "author", "order", "from", "cursor", "number",
    )  # fmt: skip
    for turn, door in enumerate(doors()):
        if door.kind != "page" or not door.is_safe or "{slug}" not in door.path:
            continue
        if not all(realm.knows(door.path, name) for name in door.parameters):
            continue
        for value in in_turn(QUERIES, turn, every=11):
            query = "&".join(f"{name}={value}" for name in names)[:7500]
            answer = call(client, door, f"{address(door, realm)}?{query}", realm)
            if answer.status >= 500 or "Traceback" in answer.text:
                faults.append(f"{door.name} {value[:20]!r} -> {answer.status} {answer.text[:200]}")
    note("sec25.page_faults", len(faults))
    nothing(faults)


def test_the_examples_are_taken() -> None:
    """The control: the bodies the garbage is put into are right without it (the crawl's owner sends the same)."""
    assert example(
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 3}}}
    ) == {"a": 3}
    assert not is_clean(500, "application/problem+json", "")
    assert not is_clean(404, "text/html", "")


def test_who_is_signed_in_may_ask_to_sign_in_again(realm: Realm) -> None:
    """Found by schemathesis: allauth looks for an address with a cursor, which inside an organization was a fault."""
    body = {"email": "0", "password": "0", "organization": "0", "scopes": []}
    forget_limits()
    answer = program(realm.owner).post("/api/v1/tokens/", body, content_type="application/json")
    assert answer.status_code == 401, answer.content
    form = {"email": "nobody@example.org"}
    assert browser(realm.owner).post("/accounts/password/reset/", form).status_code == 302

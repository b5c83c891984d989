"""SEC-27: filters, orders, counts and cursors cannot look behind the curtain.

What a list tells about something hidden must be what it tells about something that does not exist: results, counts,
next pages, chips, status. Nothing nobody declared is a filter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from tests.accounts.sessions import open_session
from tests.factories.accounts import PersonFactory
from tests.security.crawling import Answer, address, call, leaked, nothing
from tests.security.doors import Door, doors
from tests.security.realm import MARK, Realm, browser, forget_limits
from tests.security.sizes import by_size, note
from tests.security.test_references import neighbour

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
EVERY = by_size(quick=3, standard=1, full=1)
LISTS = [
    door
    for door in doors()
    if door.kind == "api"
    and door.is_safe
    and any(p["in"] == "query" for p in door.operation.get("parameters", []))
]
PAGES = [
    ("/o/{slug}/search/", "q"), ("/o/{slug}/people/", "q"), ("/o/{slug}/channels/", "q"),
    ("/o/{slug}/search/", "conversation"), ("/o/{slug}/search/", "author"),
]  # fmt: skip
# Walks over relations and orders that a list without its own words for filters would take.
STRANGE = (
    "organization", "organization_id", "organization__slug", "sender__email", "sender__password__startswith",
    "user__email__startswith", "role__key", "scope__seat__principal", "ordering", "order_by", "sort", "fields",
    "include", "expand", "_connector", "_negated", "pk__in", "id__gt", "q__regex", "offset", "page_size", "format",
)  # fmt: skip


def hidden_values(realm: Realm) -> dict[str, list[str]]:
    """Return by kind of parameter what is behind the curtain."""
    ids = [
        str(realm.ids[name]) for name in ("conversation_id", "message_id", "file_id", "document_id", "run_id")
    ]
    return {"words": [realm.word, f"room {realm.word}", f"paper-{realm.word}.pdf"], "ids": ids}


def tell(answer: Answer, value: str) -> tuple[int, Any]:
    """Return what a list says, without how long it took and what was asked for."""
    text = re.sub(rf"House {MARK}\w+", "House", answer.text).replace(value, "ASKED")
    text = re.sub(r"[\d.,]+\s(s|Sek\.)<", "<", text)
    text = re.sub(r'"(took_ms|request_id)":\s*("[^"]*"|[\d.]+)', '"x":0', text)
    text = re.sub(r'\{"id":\s*"[^"]*",\s*"results"', '{"results"', text)  # each search has an id of its own
    text = re.sub(r'nonce="[^"]*"|csrf[^>]*>|nonce-[\w+/=-]+|[0-9a-f]{32,}|[\w]{64}', "", text)
    return answer.status, text


def difference(first: str, second: str) -> str:
    """Return where two texts part."""
    place = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return f"{first[max(0, place - 60) : place + 80]!r} but {second[max(0, place - 60) : place + 80]!r}"


def questions(door: Door, realm: Realm) -> Iterator[tuple[str, str, str]]:
    """Yield parameter, a hidden value, and a value like it that means nothing."""
    hidden = hidden_values(realm)
    for parameter in door.operation["parameters"]:
        if parameter["in"] != "query" or "enum" in parameter["schema"]:
            continue
        kind = parameter["schema"].get("type")
        if parameter["schema"].get("format") == "uuid":
            yield from ((parameter["name"], value, str(uuid4())) for value in hidden["ids"])
        elif kind == "string" and parameter["name"] not in ("cursor", "since", "until"):
            for value in [*hidden["words"], *hidden["ids"]]:
                like = re.sub(
                    rf"{MARK}\w+", lambda found: found[0][:3] + uuid4().hex[: len(found[0]) - 3], value
                )
                yield parameter["name"], value, like if like != value else str(uuid4())


@pytest.mark.parametrize("who", ["foreign", "neighbour"])
def test_a_list_says_of_the_hidden_what_it_says_of_nothing(realm: Realm, elsewhere: Realm, who: str) -> None:
    own = elsewhere if who == "foreign" else neighbour(realm)
    client, headers = browser(own.owner), {"Organization": own.organization.slug}
    told, calls = [], 0
    for door in LISTS:
        where = address(door, own)
        beside = "q=crane&" if door.path.endswith("/search/") else ""
        for name, value, like in islice(questions(door, realm), who == "foreign", None, EVERY):
            extra = "" if name == "q" else beside
            if who == "neighbour" and door.path == "/api/v1/members/":
                continue  # the directory is open inside the house
            first = call(client, door, f"{where}?{extra}{name}={value}", own, **headers)
            second = call(client, door, f"{where}?{extra}{name}={like}", own, **headers)
            calls += 1
            if tell(first, value) != tell(second, like) or leaked(first, realm, value):
                told.append(
                    f"{door.name} ?{name}={value}: {first.status} {first.text[:300]!r} but {second.text[:300]!r}"
                )
    note(f"sec27.{who}.told", len(told))
    note(f"sec27.{who}.questions", calls, goal=None)
    assert calls >= 15
    nothing(told)


def test_pages_say_of_the_hidden_what_they_say_of_nothing(realm: Realm, elsewhere: Realm) -> None:
    told = []
    for own in (elsewhere, neighbour(realm)):
        client = browser(own.owner)
        for path, name in PAGES:
            door, where = Door("GET", path, "page"), path.format(slug=own.organization.slug)
            if own is not elsewhere and path.endswith("/people/"):
                continue
            value = str(realm.ids["conversation_id"]) if name in ("conversation", "author") else realm.word
            like = str(uuid4()) if name in ("conversation", "author") else f"{MARK}{uuid4().hex[:14]}"
            extra = "" if name == "q" else "q=crane&"
            first = call(client, door, f"{where}?{extra}{name}={value}", own)
            second = call(client, door, f"{where}?{extra}{name}={like}", own)
            if tell(first, value) != tell(second, like):
                told.append(f"{path} ?{name}: {difference(tell(first, value)[1], tell(second, like)[1])}")
    note("sec27.pages_told", len(told))
    nothing(told)


def test_search_counts_nothing_that_is_hidden(realm: Realm, elsewhere: Realm) -> None:
    """The control: the owner finds by the same words what nobody else counts."""
    door = Door("GET", "/api/v1/search/", "api")

    def found(own: Realm) -> tuple[int, int]:
        answer = call(
            browser(own.owner), door, f"{door.path}?q={realm.word}", own, Organization=own.organization.slug
        )
        said = json.loads(answer.text)
        return len(said["results"]), said["total_hint"]

    assert min(found(realm)) > 0
    assert found(elsewhere) == found(neighbour(realm)) == (0, 0)


def test_no_list_takes_a_filter_it_did_not_declare(realm: Realm) -> None:
    client, taken = browser(realm.owner), []
    for door in LISTS:
        declared = {parameter["name"] for parameter in door.operation["parameters"]}
        extra = "q=crane&" if door.path.endswith("/search/") else ""
        for name in STRANGE[:: by_size(quick=5, standard=1, full=1)]:
            if name in declared:
                continue
            where = f"{address(door, realm)}?{extra}{name}=a"
            answer = call(client, door, where, realm, Organization=realm.organization.slug)
            if answer.status != 400 or f'"{name}"' not in answer.text:
                taken.append(f"{door.name} ?{name} -> {answer.status}")
    note("sec27.undeclared_filters", len(taken))
    nothing(taken)


def test_orders_are_words_of_a_list(realm: Realm) -> None:
    door = next(door for door in LISTS if door.path == "/api/v1/search/")
    (order,) = [p for p in door.operation["parameters"] if p["name"] == "order"]
    assert set(order["schema"]["enum"]) <= {"relevance", "newest", "oldest", "best"}
    for wrong in ("password", "-sender__email", "score; drop table", "RANDOM()"):
        answer = call(
            browser(realm.owner), door, f"{door.path}?q=crane&order={wrong}", realm,
            Organization=realm.organization.slug,
        )  # fmt: skip
        assert answer.status == 400


def test_the_admins_lists_follow_no_relation_they_did_not_declare(realm: Realm) -> None:
    """`?user__password__startswith=` in an address: Django asks ModelAdmin, and ours name their filters."""
    operator = PersonFactory(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)
    client.cookies["session"] = open_session(operator)
    wrong, calls = [], 0
    lists = [
        door
        for door in doors()
        if door.kind == "admin" and door.is_safe and not door.parameters and door.path.count("/") == 4
    ]
    for door in lists[:: by_size(quick=3, standard=1, full=1)]:
        if "password" in door.path:
            continue
        for query in (
            "password__startswith=a",
            "user__password__startswith=a",
            "hash__startswith=a",
            "prefix__startswith=c",
        ):
            forget_limits()
            answer = client.get(f"{door.path}?{query}")
            calls += 1
            if answer.status_code >= 500 or (answer.status_code == 200 and "e=1" not in str(answer.request)):
                wrong.append(f"{door.path}?{query} -> {answer.status_code}")
    note("sec27.admin_filters", len(wrong))
    assert calls > 15
    nothing(wrong)


def test_a_told_secret_would_be_seen(realm: Realm) -> None:
    """The proof of bite: for the owner the two answers differ."""
    door = Door("GET", "/api/v1/search/", "api")
    answers = [
        call(browser(realm.owner), door, f"{door.path}?q={word}", realm, Organization=realm.organization.slug)
        for word in (realm.word, "v" * len(realm.word))
    ]
    assert tell(answers[0], realm.word) != tell(answers[1], "v" * len(realm.word))
    assert isinstance(realm.ids["conversation_id"], UUID)

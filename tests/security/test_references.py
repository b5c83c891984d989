"""SEC-02: no object of somebody else's comes in by reference: in bodies, filters, cursors, mentions, mixed addresses.

Each field of the OpenAPI document that takes an id is given every id of another organization, and every id of a
private room of the same one. The answer must be the one a missing id gets; nothing that was written names a foreign id.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client

from apps.chat.services import conversations, messages
from apps.core.walls import walled_tables
from tests.factories.accounts import principal_of
from tests.factories.documents import document
from tests.factories.files import upload
from tests.security.crawling import (
    Answer,
    Found,
    address,
    body_of,
    call,
    changed,
    fingerprint,
    leaked,
    nothing,
    undone,
)
from tests.security.doors import DOCUMENT, Door, body_schema, doors, example
from tests.security.realm import Realm, browser
from tests.security.sizes import by_size, note
from tests.walls import everywhere

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
# What a private room holds, for those of the same house; its people and roles are no secret of it.
PRIVATE = ("conversation_id", "message_id", "file_id", "document_id", "answer_id", "run_id")
# Fields that take an id although the document calls them texts.
TEXTS = {"anchor"}
# Names whose object everybody in the house may name; foreign ones are refused like missing ones.
MISSING = UUID("00000000-0000-7000-8000-00000000beef")
Place = tuple[str | int, ...]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for word in ("allOf", "oneOf", "anyOf"):
        if word in schema:
            return resolved(schema[word][0])
    return schema


def id_fields(schema: dict[str, Any], at: Place = ()) -> Iterator[Place]:
    """Yield the places of a body that take an id."""
    schema = resolved(schema)
    if schema.get("format") == "uuid" or (at and at[-1] in TEXTS):
        yield at
    for name, part in schema.get("properties", {}).items():
        yield from id_fields(part, (*at, name))
    if "items" in schema:
        yield from id_fields(schema["items"], (*at, 0))


def with_value(body: Any, at: Place, value: Any) -> Any:
    """Return the body with a value at a place, made on the way."""
    if not at:
        return value
    made = deepcopy(body) if body is not None else None
    if isinstance(at[0], int):
        return [with_value(None, at[1:], value)]
    made = made if isinstance(made, dict) else {}
    made[at[0]] = with_value(made.get(at[0]), at[1:], value)
    return made


FIELDS = [
    (door, at) for door in doors() if (schema := body_schema(door)) is not None for at in id_fields(schema)
]
FILTERS = [
    (door, parameter["name"])
    for door in doors()
    if door.kind == "api" and door.is_safe
    for parameter in door.operation.get("parameters", [])
    if parameter["in"] == "query"
    and (
        parameter["schema"].get("format") == "uuid"
        or parameter["name"] in {"anchor", "subject", "object", "person"}
    )
]
# Fields of forms that name something; a form's other fields are words.
FORM_FIELDS: Mapping[str, tuple[str, ...]] = {
    "/o/{slug}/c/{conversation_id}/send/": ("thread",),
    "/o/{slug}/c/{conversation_id}/draft/": ("thread",),
    "/o/{slug}/c/{conversation_id}/members/": ("people",),
    "/o/{slug}/direct/new/": ("people",),
    "/o/{slug}/settings/sessions/end/": ("session",),
    "/o/{slug}/console/people/change/": ("member",),
    "/o/{slug}/console/privacy/new/": ("person",),
    "/o/{slug}/console/privacy/holds/new/": ("target",),
    "/o/{slug}/console/flags/{key}/change/": ("person",),
}


def neighbour(realm: Realm) -> Realm:
    """Return a plain member of the same organization with objects of its own."""
    member = realm.member("member")
    own = dataclasses.replace(realm, owner=member, ids=dict(realm.ids), word=f"qzown{uuid4().hex[:6]}")
    who = principal_of(member)
    with realm.opened():
        channel = conversations.create_channel(principal=who, name=f"own {member.pk}", is_private=True)
        sent = messages.send_message(
            principal=who, conversation_id=channel, body="mine", client_key=uuid4().hex
        )
        own.ids |= {
            "conversation_id": channel,
            "message_id": sent.id,
            "file_id": upload(member, "mine.txt").id,
            "document_id": document(member, "mine.txt", b"mine\n", conversation_id=channel).id,
        }
    return own


def told(answer: Answer, *ids: object) -> tuple[int, str]:
    """Return what an answer says, without the ids that were asked for and what differs in every answer."""
    text = answer.text
    for one in ids:
        text = text.replace(str(one), "ID")
    text = re.sub(r'"(request_id|took_ms)":\s*("[^"]*"|[\d.]+)', "", text)
    return answer.status, text


def references(realm: Realm, *, beside: UUID) -> list[str]:
    """Return tables in which a row of another organization names an id of the realm's."""
    ids = "|".join(str(value) for value in realm.ids.values() if isinstance(value, UUID))
    tables = sorted(walled_tables() - {"core_auditentry", "core_retrykey"})
    parts = [
        f"SELECT '{table}', count(*) FROM {table} t WHERE organization_id = '{beside}' AND t::text ~ '{ids}'"
        for table in tables
    ]
    with everywhere(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return [f"{table}: {count}" for table, count in cursor.fetchall() if count]


def note_all(what: str, found: Found) -> None:
    for kind in ("leaks", "effects", "faults", "statuses"):
        note(f"sec02.{what}.{kind}", len(getattr(found, kind)))
    note(f"sec02.{what}.calls", found.calls, goal=None)


def compare(found: Found, said: str, answer: Answer, missing: Answer, realm: Realm, *, asked: object) -> None:
    """Note what an answer about a foreign id says beyond the answer about a missing one."""
    found.calls += 1
    if answer.status >= 500:
        found.faults.append(f"{said} -> {answer.status}: {answer.text[:300]}")
    elif told(answer, asked) != told(missing, MISSING):
        found.statuses.append(
            f"{said} -> {answer.status} {answer.text[:200]!r}, missing: {missing.status} {missing.text[:200]!r}"
        )
    if words := leaked(answer, realm, str(asked)):
        found.leaks.append(f"{said}: {words}")


def by_body(client: Client, own: Realm, realm: Realm, foreign: list[Any]) -> Found:
    """Give every id field of every body every foreign id."""
    found, before = Found(), fingerprint(realm)
    headers = {"Organization": own.organization.slug}
    for door, at in FIELDS:
        where = address(door, own)
        body = body_of(door, own)
        with undone():
            missing = call(client, door, where, own, body=with_value(body, at, str(MISSING)), **headers)
        for value in foreign:
            answer = call(client, door, where, own, body=with_value(body, at, str(value)), **headers)
            compare(found, f"{door.name} {at}={value}", answer, missing, realm, asked=value)
    if own.organization != realm.organization and (tables := changed(before, fingerprint(realm))):
        found.effects.append(f"changed {tables}")
    return found


def by_filter(client: Client, own: Realm, realm: Realm, foreign: list[Any]) -> Found:
    """Ask every list for every foreign id."""
    found, headers = Found(), {"Organization": own.organization.slug}
    for door, name in FILTERS:
        where = address(door, own)
        missing = call(client, door, f"{where}?{_query(door, name, MISSING)}", own, **headers)
        for value in foreign:
            answer = call(client, door, f"{where}?{_query(door, name, value)}", own, **headers)
            compare(found, f"{door.name} ?{name}={value}", answer, missing, realm, asked=value)
    return found


def _query(door: Door, name: str, value: object) -> str:
    """Return the filter with what the list needs beside it."""
    needed = [
        f"{parameter['name']}={example(parameter['schema'])}"
        for parameter in door.operation["parameters"]
        if parameter["in"] == "query" and parameter.get("required") and parameter["name"] != name
    ]
    return "&".join([*needed, f"{name}={value}"])


def ids_of(realm: Realm, names: tuple[str, ...] | None = None) -> list[Any]:
    """Return the ids to try, fewer at a quick look."""
    chosen = {
        name.rpartition(" ")[2]: value
        for name, value in realm.ids.items()
        if isinstance(value, UUID) and (names is None or name in names)
    }
    return list(chosen.values())


def test_the_fields_are_found() -> None:
    named = {(door.name, at) for door, at in FIELDS}
    assert ("POST /api/v1/conversations/{conversation_id}/messages/", ("attachments", 0)) in named
    assert ("POST /api/v1/documents/", ("file",)) in named or (
        "POST /api/v1/documents/",
        ("file_id",),
    ) in named
    assert len(named) >= 10
    assert len(FILTERS) >= 5


def test_no_body_takes_an_id_of_another_organization(realm: Realm, elsewhere: Realm) -> None:
    found = by_body(
        browser(elsewhere.owner), elsewhere, realm, ids_of(realm)[:: by_size(quick=5, standard=1, full=1)]
    )
    found.effects += references(realm, beside=elsewhere.organization.pk)
    note_all("bodies", found)
    nothing(found.everything())


def test_no_body_takes_an_id_of_a_private_room(realm: Realm) -> None:
    own = neighbour(realm)
    found = by_body(browser(own.owner), own, realm, ids_of(realm, PRIVATE))
    note_all("private_bodies", found)
    nothing(found.everything())


def test_no_filter_finds_anything_by_a_foreign_id(realm: Realm, elsewhere: Realm) -> None:
    found = by_filter(
        browser(elsewhere.owner), elsewhere, realm, ids_of(realm)[:: by_size(quick=5, standard=1, full=1)]
    )
    note_all("filters", found)
    nothing(found.everything())


def test_no_filter_finds_anything_of_a_private_room(realm: Realm) -> None:
    own = neighbour(realm)
    found = by_filter(browser(own.owner), own, realm, ids_of(realm, PRIVATE))
    note_all("private_filters", found)
    nothing(found.everything())


def test_no_form_takes_a_foreign_id(realm: Realm, elsewhere: Realm) -> None:
    client, found, before = browser(elsewhere.owner), Found(), fingerprint(realm)
    tried = ids_of(realm)[:: by_size(quick=4, standard=1, full=1)]
    for path, fields in FORM_FIELDS.items():
        door = Door("POST", path, "page")
        where = address(door, elsewhere)
        for name in fields:
            for value in [
                *tried,
                realm.ids["session"],
                f"conversation:{realm.ids['conversation_id']}",
            ]:
                answer = call(
                    client,
                    door,
                    where,
                    elsewhere,
                    body={"body": "x", "client_key": uuid4().hex, name: str(value)},
                )
                found.calls += 1
                if answer.status >= 500:
                    found.faults.append(f"{path} {name}={value}: {answer.text[:200]}")
                if words := leaked(answer, realm, str(value)):
                    found.leaks.append(f"{path} {name}={value}: {words}")
    if tables := changed(before, fingerprint(realm)):
        found.effects.append(f"changed {tables}")
    found.effects += references(realm, beside=elsewhere.organization.pk)
    note_all("forms", found)
    nothing(found.everything())


@pytest.mark.parametrize("who", ["foreign", "neighbour"])
def test_an_address_of_mine_and_yours_opens_nothing(realm: Realm, elsewhere: Realm, who: str) -> None:
    """Doors with two ids, one of each: a conversation of mine with a message of yours, and the other way round."""
    own = elsewhere if who == "foreign" else neighbour(realm)
    client, found, before = browser(own.owner), Found(), fingerprint(realm)
    for door in doors():
        if len(door.rows) < 2 or door.kind == "admin":
            continue
        for yours in door.rows:
            if who == "neighbour" and yours not in PRIVATE:
                continue
            slug = {"slug": own.organization.slug}
            where = address(door, own, **slug, **{yours: realm.id_for(door.path, yours)})
            answer = call(client, door, where, own, Organization=own.organization.slug)
            found.calls += 1
            if answer.status not in (403, 404, 405):
                found.statuses.append(f"{door.name} with your {yours} -> {answer.status}")
            if words := leaked(answer, realm, where, only=PRIVATE if who == "neighbour" else None):
                found.leaks.append(f"{door.name} with your {yours}: {words} {answer.status}")
    if tables := changed(before, fingerprint(realm)):
        found.effects.append(f"changed {tables}")
    note_all(f"mixed_{who}", found)
    assert found.calls >= 10
    nothing(found.everything())


def test_a_mention_reaches_nobody_elsewhere(realm: Realm, elsewhere: Realm) -> None:
    name = f"Owner {realm.word}"
    for number, text in enumerate((f"@**{name}|{realm.owner.user_id}**", f"@**{name}**", f"@{name}")):
        with elsewhere.opened():
            sent = messages.send_message(
                principal=elsewhere.acting, conversation_id=elsewhere.ids["conversation_id"], body=f"{text} hi",
                client_key=uuid4().hex,
            )  # fmt: skip
            door = Door("GET", "/api/v1/messages/{message_id}/", "api")
            answer = call(
                browser(elsewhere.owner), door, f"/api/v1/messages/{sent.id}/", elsewhere,
                Organization=elsewhere.organization.slug,
            )  # fmt: skip
        assert answer.status == 200, number
        assert '"mentions":[]' in answer.text.replace(" ", "")
    with realm.opened():  # the control: at home it is a mention
        sent = messages.send_message(
            principal=realm.acting, conversation_id=realm.ids["conversation_id"],
            body=f"@**Colleague {realm.word}|{realm.colleague.user_id}** hi", client_key=uuid4().hex,
        )  # fmt: skip
    own = call(browser(realm.owner), Door("GET", "/api/v1/messages/{message_id}/", "api"),
               f"/api/v1/messages/{sent.id}/", realm, Organization=realm.organization.slug)  # fmt: skip
    assert str(realm.colleague.user_id) in own.text.partition('"mentions"')[2][:60]


def test_a_cursor_of_somebody_else_leads_nowhere(realm: Realm, elsewhere: Realm) -> None:
    """A place in a list is no key: with it others see their own rows, or a refusal."""
    owner, stranger, found = browser(realm.owner), browser(elsewhere.owner), Found()
    lists = [
        door
        for door in doors()
        if door.is_safe and any(part["name"] == "cursor" for part in door.operation.get("parameters", []))
    ]
    cursors = 0
    for door in lists:
        needed = "&q=crane" if door.path.endswith("/search/") else ""
        page = call(owner, door, f"{door.path}?limit=1{needed}", realm, Organization=realm.organization.slug)
        cursor = re.search(r'cursor"?[=:]\s*"?([\w%.~=-]+)', page.text)
        if cursor is None:
            continue
        cursors += 1
        where = f"{door.path}?limit=50{needed}&cursor={cursor[1]}"
        answer = call(stranger, door, where, elsewhere, Organization=elsewhere.organization.slug)
        found.calls += 1
        if answer.status not in (200, 400):
            found.statuses.append(f"{door.name} -> {answer.status}")
        if words := leaked(answer, realm, ""):
            found.leaks.append(f"{door.name}: {words}")
    note_all("cursors", found)
    assert cursors >= 4
    nothing(found.everything())


def test_a_reference_that_slipped_in_would_be_found(realm: Realm, elsewhere: Realm) -> None:
    """The proof of bite: one row that names a foreign object, written past the walls."""
    with undone(), everywhere(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_deadletter (consumer, position, organization_id, event_type, event, error, "
            "attempts, state, created_at) VALUES ('slipped', 1, %s, 'x', %s, '', 1, 'open', now())",
            [elsewhere.organization.pk, f'{{"id": "{realm.ids["message_id"]}"}}'],
        )
        found = references(realm, beside=elsewhere.organization.pk)
    assert found == ["core_deadletter: 1"]

"""SEC-19: you can set only what the form offers. Fields nobody declared are refused by name or change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection

from apps.core.walls import OUTSIDE, walled_tables
from tests.security.crawling import FORMS, address, body_of, call, nothing, undone
from tests.security.doors import Door, body_schema, doors
from tests.security.realm import Realm, browser
from tests.security.sizes import by_size, note
from tests.security.test_references import resolved
from tests.walls import everywhere

pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]
MARKER, LONG_AGO = UUID("00000000-0000-7000-8000-0000000bad1d"), "1999-09-09T09:09:09Z"
INTRUDED = "|".join(
    [str(MARKER), "1999-09-09", "/etc/passwd", "1125899906842624", "1099511627776", "1234567891"]
)
WRITES = [door for door in doors() if door.kind == "api" and body_schema(door) is not None]


def extras(elsewhere: Realm) -> dict[str, Any]:
    """Return what nobody may set, with values that are found again."""
    other, person = str(elsewhere.organization.pk), str(elsewhere.owner.user_id)
    return {
        "organization": other, "organization_id": other, "tenant": other, "owner": person, "owner_id": person,
        "role": "owner", "role_id": str(elsewhere.ids["role_id"]), "is_staff": True, "is_superuser": True,
        "is_builtin": True, "author": person, "author_id": person, "sender": person, "sender_id": person,
        "created_by": person, "created_by_id": person, "created_at": LONG_AGO, "sent_at": LONG_AGO,
        "id": str(MARKER), "pk": str(MARKER), "verified": True, "is_verified": True, "email_verified": True,
        "quota": 1 << 50, "quota_bytes": 1 << 50, "permissions": ["organization.manage"], "sequence": 1 << 40,
        "version": 1_234_567_891, "state": "done", "approved_by": person, "approved_at": LONG_AGO, "principal": person,
        "principal_id": person, "scope_id": str(MARKER), "storage_key": "/etc/passwd", "media_type": "text/html",
        "is_active": True, "kind": "service", "revoked_at": None, "password": "x", "on_behalf_of": person,
        "__proto__": {"is_staff": True}, "_state": {"adding": True},
    }  # fmt: skip


def declared(door: Door, at: tuple[Any, ...] = ()) -> set[str]:
    schema = resolved(body_schema(door) or {})
    for step in at:
        schema = resolved(schema["items"] if isinstance(step, int) else schema["properties"][step])
    return set(schema.get("properties", {}))


def nested(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of objects inside a body."""
    if isinstance(body, dict):
        yield at
        for name, part in body.items():
            yield from nested(part, (*at, name))
    elif isinstance(body, list):
        for number, part in enumerate(body):
            yield from nested(part, (*at, number))


def put(body: Any, at: tuple[Any, ...], name: str, value: Any) -> Any:
    made = target = deepcopy(body)
    for step in at:
        target = target[step]
    target[name] = value
    return made


def raised(elsewhere: Realm) -> list[str]:
    """Return rows that hold what only an intruder could have set."""
    tables = sorted(walled_tables() | {name for name in OUTSIDE if name.startswith("accounts_")})
    parts = [f"SELECT '{table}', count(*) FROM {table} t WHERE t::text ~ '{INTRUDED}'" for table in tables]
    parts += [
        "SELECT 'staff', count(*) FROM accounts_user WHERE is_staff OR is_superuser",
        (
            f"SELECT 'foreign owner', count(*) FROM accounts_member WHERE user_id = '{elsewhere.owner.user_id}'"
            f" AND organization_id <> '{elsewhere.organization.pk}'"
        ),
    ]
    with everywhere(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return [f"{table}: {count}" for table, count in cursor.fetchall() if count]


def test_programs_are_told_the_name_of_every_field_that_is_not_theirs(realm: Realm, elsewhere: Realm) -> None:
    client, wrong, calls = browser(realm.owner), [], 0
    for door in WRITES:
        body, where = body_of(door, realm), address(door, realm)
        if not isinstance(body, dict):
            continue
        for at in nested(body):
            strange = {k: v for k, v in extras(elsewhere).items() if k not in declared(door, at)}
            for names in by_size(
                quick=[list(strange)], standard=[list(strange)], full=[[k] for k in strange]
            ):
                calls += 1
                sent = body
                for name in names:
                    sent = put(sent, at, name, strange[name])
                with undone():
                    answer = call(client, door, where, realm, body=sent, Organization=realm.organization.slug)
                told = {error["field"] for error in orjson.loads(answer.text or "{}").get("errors", [])}
                missed = {".".join(map(str, (*at, name))) for name in names} - told
                if answer.status != 400 or missed:
                    wrong.append(f"{door.name} {at} {missed} -> {answer.status} {answer.text[:160]}")
    note("sec19.taken_by_programs", len(wrong))
    note("sec19.calls", calls, goal=None)
    assert calls >= 20
    nothing(wrong)


def test_forms_do_not_set_what_they_do_not_show(realm: Realm, elsewhere: Realm) -> None:
    client, found, calls = browser(realm.owner), [], 0
    values = {name: value for name, value in extras(elsewhere).items() if isinstance(value, str | int)}
    pages = [
        door for door in doors() if door.kind == "page" and door.method == "POST" and "{slug}" in door.path
    ]
    for door in pages:
        if not all(realm.knows(door.path, name) for name in door.parameters):
            continue
        form = FORMS.get(door.path, {})
        own = {
            name for name in ("role", "permissions", "kind", "version", "is_active", "state") if name in form
        }
        sent = {
            **{name: value for name, value in values.items() if name not in own | {"role", "kind"}},
            **form,
        }
        with undone():
            answer = call(client, door, address(door, realm), realm, body=sent)
            calls += 1
            found += [f"{door.name} -> {answer.status}: {row}" for row in raised(elsewhere)]
    note("sec19.set_by_forms", len(found))
    assert calls > 40
    nothing(found)


def test_a_profile_form_raises_nobody(realm: Realm, elsewhere: Realm) -> None:
    member = realm.member("member")
    door = Door("POST", "/o/{slug}/settings/profile/", "page")
    answer = call(
        browser(member), door, address(door, realm), realm,
        body={"name": "Same", "title": "x", "about": "", **{k: str(v) for k, v in extras(elsewhere).items()}},
    )  # fmt: skip
    assert answer.status in (200, 302, 204)
    with realm.opened():
        member = type(member).objects.select_related("role", "user").get(pk=member.pk)
    assert (member.role.key, member.user.is_staff, member.title) == ("member", False, "x")


def test_what_was_set_would_be_seen(realm: Realm, elsewhere: Realm) -> None:
    """The proof of bite."""
    with undone(), everywhere(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET is_staff = true WHERE id = %s", [realm.owner.user_id])
        assert raised(elsewhere) == ["staff: 1"]

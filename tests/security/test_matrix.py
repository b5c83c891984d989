"""SEC-20: eight principals at every door against a declared table: `matrix.txt`.

Each line of the table is a door and a letter for each principal, who meets the objects of an owner in a private room:
`+` comes in, `w` and changes something, `-` 403, `0` 404, `?` is asked to sign in, `x` no such method.
A route without a line fails; after a look
at what changed, `CHATSYSTEM_SECURITY_WRITE=1 ./run security tests/security/test_matrix.py` writes the table again.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client

from tests.security.crawling import Answer, address, call, changed, fingerprint, nothing, undone
from tests.security.doors import Door, doors
from tests.security.realm import Realm, browser
from tests.security.sizes import SIZE, note
from tests.security.test_every_entrance import OPEN

pytestmark = [pytest.mark.timeout(900), pytest.mark.enable_socket]
TABLE = Path(__file__).with_name("matrix.txt")
WHO = ("visitor", "stranger", "guest", "member", "moderator", "auditor", "admin", "owner")
DOORS = [door for door in doors() if door.kind != "admin"]
# They end, rotate or answer what the other calls of this test stand on; their own tests say who may.
LEFT_OUT = {"/accounts/logout/", "/api/v1/tokens/refresh/", "/metrics"}


def letter(answer: Answer) -> str:
    if answer.sends_to_sign_in:
        return "?"
    return {403: "-", 404: "0", 405: "x", 410: "0"}.get(answer.status, "+" if answer.status < 500 else "!")


def declared() -> dict[str, str]:
    """Return the letters of each door."""
    lines = [line.rstrip() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {line[:-9].rstrip(): line[-8:] for line in lines}


def people(realm: Realm, elsewhere: Realm) -> dict[str, Client]:
    inside = {role: browser(realm.member(role)) for role in WHO[2:7]}
    return {
        "visitor": Client(raise_request_exception=False), "stranger": browser(elsewhere.owner), **inside,
        "owner": browser(realm.owner),
    }  # fmt: skip


def outcome(client: Client, door: Door, realm: Realm) -> str:
    """Return the letter; what was changed is undone."""
    before = {} if door.is_safe else fingerprint(realm)
    with undone():
        found = letter(call(client, door, address(door, realm), realm, Organization=realm.organization.slug))
        did_change = found == "+" and not door.is_safe and bool(changed(before, fingerprint(realm)))
    return "w" if did_change else found


def test_the_table_names_every_door() -> None:
    known, found = set(declared()), {door.name for door in DOORS if door.path not in LEFT_OUT}
    if not os.environ.get("CHATSYSTEM_SECURITY_WRITE"):
        assert found - known == set(), "new doors: look who may come in, and write the table again"
        assert known - found == set(), "doors that are gone"
    note("sec20.undeclared_routes", len(found - known))


def test_everybody_gets_what_the_table_says(realm: Realm, elsewhere: Realm) -> None:
    clients, wrong, calls, lines = people(realm, elsewhere), [], 0, []
    known, writes = declared(), bool(os.environ.get("CHATSYSTEM_SECURITY_WRITE"))
    for place, door in enumerate(DOORS):
        if door.path in LEFT_OUT:
            continue
        expected, got = known.get(door.name, "." * len(WHO)), ""
        for number, who in enumerate(WHO):
            if SIZE == "quick" and not writes and (place + number) % 8:
                got += expected[number]
                continue
            calls += 1
            got += outcome(clients[who], door, realm)
        lines.append(f"{door.name:<86} {got}")
        if got != expected:
            wrong.append(f"{door.name}: declared {expected}, got {got}")
    if writes:
        TABLE.write_text("\n".join(["# " + " ".join(WHO), *lines, ""]))
    note("sec20.cells_that_differ", len(wrong))
    note("sec20.cells", calls, goal=None)
    assert "!" not in "".join(line[-8:] for line in lines)
    nothing([] if writes else wrong)


def test_visitors_come_in_only_where_the_list_says() -> None:
    """Anonymous success: at most 15 addresses, each with its reason; links with a secret answer by their own tests."""
    entered = {name.partition(" ")[2] for name, letters in declared().items() if letters[0] in "+w"}
    secrets = {
        "/invite/{secret}/",
        "/sign-in/{secret}/",
        "/accounts/password/reset/key/{uidb36}-{key}/",
        "/f/{token}/{name}",
    }
    # Sign-in by program answers 401 or the token itself; the start page only leads on.
    programs = {"/api/v1/tokens/", "/api/v1/tokens/refresh/", "/api/v1/tokens/revoke/", "/"}
    open_ = {"/" + route for route in OPEN}
    note("sec20.open_to_visitors", len(open_), goal=15)
    assert len(open_) <= 15
    # Refused with 400 and a code of RFC 6749: no client, no secret. The last one is the challenge of a passkey.
    refused = {f"/oauth/{name}/" for name in ("token", "introspect", "revoke", "device-authorization")}
    assert entered - open_ - secrets - programs - refused - {"/accounts/passkeys/options/"} == set()


def test_the_table_is_not_all_one_letter() -> None:
    """The proof of bite: the table tells people apart, and nobody without a seat comes into the owner's room."""
    table = declared()
    assert len(set(table.values())) > 10
    room = table["GET /api/v1/conversations/{conversation_id}/"]
    assert room == "?000000+"
    assert table["PATCH /api/v1/conversations/{conversation_id}/"] == "?000000w"
    assert table["POST /api/v1/roles/"] == "?0----ww"
    assert [name for name, letters in table.items() if letters[1] in "+w" and "/o/{slug}/" in name] == []

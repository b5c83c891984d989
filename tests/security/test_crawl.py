"""SEC-01: nobody outside sees, changes or detects your objects: every door that takes an id, as everybody else.

Each door is tried with real ids of another organization (token and browser), by a guest of the same organization,
by a guest of another room in it, and by a visitor; then with the tricks of `VARIANTS`. The owner goes through the
same doors with the same ids: what answers an owner is what was really tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client

from apps.chat.services import conversations
from apps.core import tenancy
from tests.factories.accounts import principal_of
from tests.security.crawling import (
    Answer,
    Found,
    address,
    call,
    changed,
    fingerprint,
    leaked,
    nothing,
    undone,
)
from tests.security.doors import Door, doors, undeclared
from tests.security.realm import Realm, browser, program
from tests.security.sizes import by_size, note
from tests.walls import everywhere

pytestmark = [pytest.mark.timeout(900), pytest.mark.enable_socket]

TRIED = [door for door in doors() if door.rows and door.kind != "admin"]
ADMIN = [door for door in doors() if door.rows and door.kind == "admin"]
# Of their own organization everybody may read what it is called.
OPEN_INSIDE = {"GET /api/v1/organizations/{organization_id}/", "GET /o/{slug}/emoji/{code}/"}
# A door that answers nobody of an organization: only the operator, or in other circumstances.
NOT_FOR_OWNERS = {
    "GET /o/{slug}/console/privacy/{request_id}/certificate/": "needs an erasure that is done: tests/security/privacy",
}


def sample(turn: int) -> list[Door]:
    """Return the doors that somebody tries: a third of them at a quick look, another third for the next one."""
    return by_size(quick=TRIED[turn::3], standard=TRIED, full=TRIED)


def other_room(realm: Realm) -> Any:
    """Return a guest who sits in a room of somebody else's in the same organization."""
    guest, host = realm.member("guest"), realm.member("member")
    with tenancy.use(realm.organization.pk):
        conversations.create_channel(
            principal=principal_of(host), name=f"lobby {guest.pk}", people=[guest.user_id]
        )
    return guest


def crawl(
    client_for: Callable[[Door], Client],
    realm: Realm,
    *,
    tried: list[Door],
    accept: Callable[[Door, Answer], bool],
    where: Callable[[Door], str] | None = None,
    known: str = "",
    headers: dict[str, str] | None = None,
) -> Found:
    """Go through doors and note whatever is not a plain refusal."""
    found, before = Found(), fingerprint(realm)
    for door in tried:
        target = where(door) if where else address(door, realm)
        answer = call(client_for(door), door, target, realm, **(headers or {}))
        found.calls += 1
        said = f"{door.name} -> {answer.status}"
        if answer.status >= 500:
            found.faults.append(f"{said}: {answer.text[:300]}")
        elif not accept(door, answer):
            found.statuses.append(f"{said}: {answer.text[:120]!r}")
        asked = (
            f"{target} {realm.organization.slug} {realm.ids} {known}"
            if answer.is_refusal
            else f"{target} {known}"
        )
        if words := leaked(answer, realm, asked if realm.word in asked else asked.replace(realm.word, "")):
            found.leaks.append(f"{said}: {words}")
        if not door.is_safe:
            after = fingerprint(realm)
            if tables := changed(before, after):
                found.effects.append(f"{said}: changed {tables}")
            before = after
    if tables := changed(before, fingerprint(realm)):
        found.effects.append(f"reading changed {tables}")
    return found


def note_all(who: str, found: Found) -> None:
    for kind in ("leaks", "effects", "faults", "statuses"):
        note(f"sec01.{who}.{kind}", len(getattr(found, kind)))
    note(f"sec01.{who}.calls", found.calls, goal=None)


def is_refused(door: Door, answer: Answer) -> bool:
    return answer.is_refusal or answer.status == 405


def test_every_door_is_in_the_document_and_every_id_is_known(realm: Realm) -> None:
    assert undeclared() == set()
    unknown = {
        door.name for door in TRIED if not all(realm.knows(door.path, name) for name in door.parameters)
    }
    assert unknown == set(), "new doors: give tests.security.realm an object behind them"
    assert len(TRIED) > 120


def test_the_owner_comes_through_with_the_same_ids(realm: Realm) -> None:
    """The control: at least 95 % of the doors answer somebody, so the refusals below mean something."""
    client, reached, missed = browser(realm.owner), [], []
    for door in TRIED:
        with undone():
            answer = call(client, door, address(door, realm), realm, Organization=realm.organization.slug)
        if answer.status == 405:
            continue
        if (answer.status < 400 and not answer.sends_to_sign_in) or answer.status in (409, 422, 428):
            reached.append(door)
        elif door.name not in NOT_FOR_OWNERS:
            missed.append(f"{door.name} -> {answer.status}: {answer.text[:300]}")
    share = 100 * len(reached) / (len(reached) + len(missed) + len(NOT_FOR_OWNERS))
    note("sec01.exercised_with_real_ids", share, unit="%", goal=95, better="higher")
    nothing(missed)
    assert share >= 95


def test_another_organizations_token_opens_nothing(realm: Realm, elsewhere: Realm) -> None:
    clients = {"api": program(elsewhere.owner), "page": browser(elsewhere.owner)}
    found = crawl(lambda door: clients[door.kind], realm, tried=sample(0), accept=is_refused)
    note_all("foreign", found)
    nothing(found.everything())


def test_another_organizations_browser_opens_nothing_under_its_own_address(
    realm: Realm, elsewhere: Realm
) -> None:
    """`/o/<mine>/.../<yours>/`: the address is mine, the id is not."""
    client = browser(elsewhere.owner)
    found = crawl(
        lambda _door: client,
        realm,
        tried=sample(1),
        accept=is_refused,
        where=lambda door: address(door, realm, slug=elsewhere.organization.slug),
    )
    note_all("foreign_own_address", found)
    nothing(found.everything())


@pytest.mark.parametrize("who", ["low_role", "room_guest"])
def test_guests_of_the_house_open_no_room_they_do_not_sit_in(realm: Realm, who: str) -> None:
    guest = realm.member("guest") if who == "low_role" else other_room(realm)
    client = browser(guest)
    found = crawl(
        lambda _door: client,
        realm,
        tried=[
            door for door in sample(["low_role", "room_guest"].index(who)) if door.name not in OPEN_INSIDE
        ],
        accept=is_refused,
        headers={"Organization": realm.organization.slug},
    )
    note_all(who, found)
    nothing(found.everything())


def test_visitors_open_nothing(realm: Realm) -> None:
    client = Client(raise_request_exception=False)
    found = crawl(
        lambda _door: client,
        realm,
        tried=sample(2),
        accept=lambda door, answer: answer.status == 401 if door.kind == "api" else answer.sends_to_sign_in,
    )
    note_all("visitor", found)
    nothing(found.everything())


def test_the_admin_is_not_there_for_people_of_an_organization(realm: Realm, elsewhere: Realm) -> None:
    client = browser(elsewhere.owner)

    def where(door: Door) -> str:
        return door.path.format(**dict.fromkeys(door.parameters, realm.ids["member_id"]))

    tried = [door for door in ADMIN if door.is_safe or "delete" in door.path or "change" in door.path]
    found = crawl(
        lambda _door: client, realm, tried=tried[:: by_size(quick=4, standard=1, full=1)],
        accept=lambda _door, answer: answer.is_refusal or (answer.status == 302 and "login" in answer.location),
        where=where,
    )  # fmt: skip
    note_all("admin", found)
    nothing(found.everything())


Trick = Callable[[str, Realm], tuple[str, dict[str, str]]]
VARIANTS: dict[str, Trick] = {
    "upper case": lambda path, realm: (path.replace("/api/v1", "/API/V1").upper(), {}),
    "id in upper case": lambda path, realm: (
        "/".join(part.upper() if len(part) == 36 else part for part in path.split("/")), {}
    ),
    "no slash": lambda path, realm: (path.rstrip("/"), {}),
    "two slashes": lambda path, realm: (path.replace("/v1/", "/v1//").replace("/c/", "//c/"), {}),
    "dot": lambda path, realm: (path.replace("/v1/", "/v1/./"), {}),
    "dots": lambda path, realm: (path.replace("/v1/", "/v1/me/../"), {}),
    "encoded dots": lambda path, realm: (path.replace("/v1/", "/v1/me/%2e%2e/"), {}),
    "encoded slash": lambda path, realm: (path.rstrip("/") + "%2f", {}),
    "matrix": lambda path, realm: (path.rstrip("/") + ";x=1/", {}),
    "suffix": lambda path, realm: (path.rstrip("/") + ".json", {}),
    "zero": lambda path, realm: (path.rstrip("/") + "%00/", {}),
    "braces": lambda path, realm: (
        "/".join(f"%7B{part}%7D" if len(part) == 36 else part for part in path.split("/")), {}
    ),
    "hex": lambda path, realm: (
        "/".join(part.replace("-", "") if len(part) == 36 else part for part in path.split("/")), {}
    ),
    "header id": lambda path, realm: (path, {"Organization": str(realm.organization.pk)}),
    "header slug": lambda path, realm: (path, {"Organization": realm.organization.slug}),
    "two headers": lambda path, realm: (path, {"Organization": f"meadow, {realm.organization.slug}"}),
    "other headers": lambda path, realm: (
        path,
        {
            "X-Organization": str(realm.organization.pk), "X-Tenant-Id": str(realm.organization.pk),
            "X-User-Id": str(realm.owner.user_id), "X-Forwarded-User": realm.owner.user.email or "",
            "X-Remote-User": str(realm.owner.user_id), "Remote-User": str(realm.owner.user_id),
        },
    ),
    "original address": lambda path, realm: (
        "/api/v1/me/", {"X-Original-URL": path, "X-Rewrite-URL": path, "X-Forwarded-Prefix": path}
    ),
    "other method": lambda path, realm: (path, {"X-HTTP-Method-Override": "GET", "X-Method-Override": "GET"}),
    "query": lambda path, realm: (
        f"{path}?organization={realm.organization.pk}&organization_id={realm.organization.pk}", {}
    ),
    "host": lambda path, realm: (path, {"X-Forwarded-Host": f"{realm.organization.slug}.example.org"}),
    "format": lambda path, realm: (f"{path}?format=json", {"Accept": "*/*"}),
    "htmx": lambda path, realm: (path, {"HX-Request": "true", "X-Requested-With": "fetch"}),
}  # fmt: skip
# A trick may also be no address at all, or lead to the plain one.
HARMLESS = (301, 308, 400, 401, 403, 404, 405, 406, 415)


def test_no_trick_opens_another_organizations_doors(realm: Realm, elsewhere: Realm) -> None:
    clients = {"api": program(elsewhere.owner), "page": browser(elsewhere.owner)}
    names, every = list(VARIANTS), by_size(quick=24, standard=1, full=1)
    total = Found()
    for number, name in enumerate(names):
        chosen = [door for place, door in enumerate(TRIED) if (place + number) % every == 0]
        found = crawl_with(VARIANTS[name], chosen, clients, realm)
        total.calls += found.calls
        for kind in ("leaks", "effects", "faults", "statuses"):
            getattr(total, kind).extend(f"{name}: {text}" for text in getattr(found, kind))
    note_all("variants", total)
    nothing(total.everything())


def crawl_with(trick: Trick, tried: list[Door], clients: dict[str, Client], realm: Realm) -> Found:
    found, before = Found(), fingerprint(realm)
    for door in tried:
        target, headers = trick(address(door, realm), realm)
        answer = call(clients[door.kind], door, target, realm, **headers)
        found.calls += 1
        said = f"{door.name} at {target} -> {answer.status}"
        if answer.status >= 500:
            found.faults.append(f"{said}: {answer.text[:300]}")
        own = target == "/api/v1/me/" and answer.status < 500
        if answer.status not in HARMLESS and not own:
            found.statuses.append(said)
        if words := leaked(answer, realm, f"{target} {realm.ids} {headers}"):
            found.leaks.append(f"{said}: {words}")
    if tables := changed(before, fingerprint(realm)):
        found.effects.append(f"changed {tables} by {[door.name for door in tried]}")
    return found


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code forget the organization in every filter: what a new selector may do one day."""
    real = QuerySet._filter_or_exclude

    def without(self: Any, negate: bool, args: Any, kwargs: dict[str, Any]) -> Any:
        kept = {
            k: v for k, v in kwargs.items() if k.partition("__")[0] not in ("organization", "organization_id")
        }
        return real(self, negate, args, kept)

    monkeypatch.setattr(QuerySet, "_filter_or_exclude", without)


def forgetting(realm: Realm, elsewhere: Realm, tried: list[Door]) -> Found:
    client = browser(elsewhere.owner)
    return crawl(
        lambda _door: client, realm, tried=tried, accept=lambda _door, _answer: True,
        where=lambda door: address(door, realm, slug=elsewhere.organization.slug),
        headers={"Organization": elsewhere.organization.slug},
    )  # fmt: skip


def test_walls_stand_where_the_code_forgets(realm: Realm, elsewhere: Realm, forgetful: None) -> None:
    """SEC-23: without one filter by organization in Python the database still shows and changes nothing."""
    found = forgetting(realm, elsewhere, sample(2))
    note("sec23.leaks", len(found.leaks))
    note("sec23.effects", len(found.effects))
    nothing([*found.leaks, *found.effects])


def test_without_walls_forgetting_is_seen(realm: Realm, elsewhere: Realm, forgetful: None) -> None:
    """The proof of bite: the same, in a role that passes the walls."""
    chosen = [door for door in TRIED if door.name == "GET /api/v1/roles/{role_id}/"]
    with everywhere():
        answer = call(
            browser(elsewhere.owner), chosen[0], address(chosen[0], realm), realm,
            Organization=elsewhere.organization.slug,
        )  # fmt: skip
    assert leaked(answer, realm, "")


def test_the_crawler_sees_what_it_looks_for(realm: Realm) -> None:
    """The proof of bite: the same crawl by somebody who may do it all finds leaks, effects and open doors."""
    client = browser(realm.owner)
    chosen = [
        door
        for door in TRIED
        if door.name
        in (
            "GET /api/v1/conversations/{conversation_id}/",
            "PUT /api/v1/conversations/{conversation_id}/draft/",
            "GET /o/{slug}/c/{conversation_id}/",
            "GET /o/{slug}/files/{file_id}",
        )
    ]
    found = crawl(
        lambda _door: client, realm, tried=chosen, accept=is_refused,
        headers={"Organization": realm.organization.slug},
    )  # fmt: skip
    assert len(chosen) == 4
    assert len(found.statuses) == 4
    assert len(found.leaks) == 3
    assert len(found.effects) == 1

"""SEC-21: nobody finds out what exists: a foreign and a missing id, a known and an unknown account look alike."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.services import members
from tests.factories.accounts import PASSWORD, MemberFactory
from tests.security.crawling import Answer, address, call, nothing, undone
from tests.security.doors import Door, doors
from tests.security.realm import Realm, browser, forget_limits, program
from tests.security.sizes import SIZE, by_size, note
from tests.security.test_crawl import OPEN_INSIDE

pytestmark = [pytest.mark.timeout(900), pytest.mark.enable_socket]
# Who belongs to an organization knows that it exists.
INSIDE = OPEN_INSIDE | {"PATCH /api/v1/organizations/{organization_id}/"}
MISSING = UUID("00000000-0000-7000-8000-00000000beef")
DOORS = [door for door in doors() if door.rows and door.kind != "admin"]
PAIRS = 500
# What differs in every answer: ids of the request, tokens of the page, times.
_NOISE = re.compile(
    r"csrfmiddlewaretoken\"? value=\"[^\"]*\"|nonce[-=]\"?[\w+/=-]+|\"request_id\":\s*\"[^\"]*\""
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\b\w{64}\b"
)


def without_noise(answer: Answer, *asked: str) -> tuple[int, str, str]:
    """Return what an answer tells whoever asked."""
    text = answer.text
    for one in asked:
        text = text.replace(one, "ASKED")
    return answer.status, _NOISE.sub("", text), answer.location.replace(asked[0] if asked else "", "ASKED")


def missing_of(door: Door, realm: Realm, **kept: Any) -> str:
    """Return the door's address with ids of nothing."""
    made = {}
    for name in door.rows:
        value = realm.id_for(door.path, name)
        made[name] = (
            MISSING
            if isinstance(value, UUID)
            else 987_654_321
            if isinstance(value, int)
            else "f" * len(value)
        )
    return address(door, realm, **{**made, **kept})


@pytest.mark.parametrize("who", ["foreign", "guest"])
def test_a_foreign_object_answers_like_a_missing_one(realm: Realm, elsewhere: Realm, who: str) -> None:
    person = elsewhere.owner if who == "foreign" else realm.member("guest")
    slug = (elsewhere if who == "foreign" else realm).organization.slug
    clients = {"api": program(person), "page": browser(person)}
    different = []
    for door in DOORS[who == "guest" :: by_size(quick=4, standard=1, full=1)]:
        there, nowhere = address(door, realm, slug=slug), missing_of(door, realm, slug=slug)
        first = without_noise(call(clients[door.kind], door, there, realm), there)
        second = without_noise(call(clients[door.kind], door, nowhere, realm), nowhere)
        own = who == "guest" and door.name in INSIDE
        if first != second and not own:
            different.append(
                f"{door.name}: {first[0]} {first[1][:200]!r} but {second[0]} {second[1][:200]!r}"
            )
    note(f"sec21.{who}.told_apart", len(different))
    nothing(different)


def test_a_foreign_organization_answers_like_a_missing_one(realm: Realm, elsewhere: Realm) -> None:
    client = browser(elsewhere.owner)
    pages = [door for door in doors() if door.kind == "page" and "{slug}" in door.path and not door.rows]
    different = []
    for door in pages[:: by_size(quick=3, standard=1, full=1)]:
        there, nowhere = address(door, realm), address(door, realm, slug="nowhere")
        first = without_noise(call(client, door, there, realm), there, realm.organization.slug)
        second = without_noise(call(client, door, nowhere, realm), nowhere, "nowhere")
        if first != second:
            different.append(f"{door.name}: {first} {second}")
    note("sec21.organizations_told_apart", len(different))
    assert len(pages) > 20
    nothing(different)


def sign_in_page(address_: str) -> Any:
    return Client().post("/accounts/login/", {"login": address_, "password": "wrong horse battery"})


def sign_in_program(address_: str) -> Any:
    return Client().post(
        "/api/v1/tokens/",
        {"email": address_, "password": "wrong horse battery"},
        content_type="application/json",
    )


def reset(address_: str) -> Any:
    return Client().post("/accounts/password/reset/", {"email": address_})


ASKED: dict[str, Callable[[str], Any]] = {
    "page": sign_in_page, "program": sign_in_program, "reset": reset,
}  # fmt: skip


def answer_of(ask: Callable[[str], Any], address_: str) -> tuple[int, str, str]:
    forget_limits()
    response = ask(address_)
    text = _NOISE.sub("", response.content.decode()).replace(address_, "ADDRESS")
    return response.status_code, text, response.headers.get("Location", "")


@pytest.mark.parametrize("door", sorted(ASKED))
def test_a_known_account_answers_like_an_unknown_one(realm: Realm, door: str) -> None:
    closed = MemberFactory(organization=realm.organization)
    closed.user.is_active = False
    closed.user.save()
    left = MemberFactory(organization=realm.organization)
    with realm.opened():
        members.deactivate_member(principal=realm.acting, member_id=left.pk)
    unknown = answer_of(ASKED[door], "nobody-at-all@example.org")
    for known in (realm.owner, closed, left):
        assert answer_of(ASKED[door], known.user.email or "") == unknown


def test_inviting_tells_nothing_of_accounts_elsewhere(realm: Realm, elsewhere: Realm) -> None:
    door = Door("POST", "/api/v1/invitations/", "api")
    answers = []
    for address_ in (realm.owner.user.email, "nobody-at-all@example.org"):
        with undone():
            answer = call(
                browser(elsewhere.owner), door, door.path, elsewhere, body={"email": address_},
                Organization=elsewhere.organization.slug,
            )  # fmt: skip
        answers.append((answer.status, sorted(re.findall(r'"(\w+)":', answer.text))))
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    mail.outbox.clear()


def test_the_right_password_is_told_apart(realm: Realm) -> None:
    """The control: the same question by who has an account and knows the word."""
    forget_limits()
    answer = Client().post("/accounts/login/", {"login": realm.owner.user.email, "password": PASSWORD})
    assert answer.status_code == 302


def significance(first: list[float], second: list[float]) -> float:
    """Return p of the rank test (Mann and Whitney, normal approximation): that both lists come from one source."""
    ranked = sorted((value, which) for which, values in enumerate((first, second)) for value in values)
    ranks = sum(place for place, (_value, which) in enumerate(ranked, 1) if which == 0)
    count, other = len(first), len(second)
    expected, spread = count * (count + other + 1) / 2, (count * other * (count + other + 1) / 12) ** 0.5
    return 2 * (1 - statistics.NormalDist().cdf(abs(ranks - expected) / spread))


def timed(work: Callable[[], object]) -> float:
    forget_limits()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@pytest.mark.skipif(SIZE == "quick", reason="times need many pairs: ./run security --size full")
@pytest.mark.parametrize("what", [*sorted(ASKED), "object"])
def test_time_tells_nothing(realm: Realm, elsewhere: Realm, what: str) -> None:
    pairs = by_size(quick=0, standard=PAIRS // 10, full=PAIRS if what == "object" else PAIRS // 5)
    client = program(elsewhere.owner)
    there, nowhere = f"/api/v1/messages/{realm.ids['message_id']}/", f"/api/v1/messages/{MISSING}/"
    email = realm.owner.user.email or ""
    known: Callable[[], object] = (
        (lambda: client.get(there)) if what == "object" else (lambda: ASKED[what](email))
    )
    unknown: Callable[[], object] = (
        (lambda: client.get(nowhere))
        if what == "object"
        else (lambda: ASKED[what]("nobody-at-all@example.org"))
    )
    timed(known), timed(unknown)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(pairs):
        for which in (0, 1) if turn % 2 else (1, 0):
            times[which].append(timed((known, unknown)[which]))
    p = significance(*times)
    note(f"sec21.time.{what}.p", p, goal=0.01, unit="p", better="higher")
    assert p > 0.01, f"median {statistics.median(times[0]):.6f} s against {statistics.median(times[1]):.6f} s"


def test_a_difference_in_time_would_be_seen() -> None:
    first = [0.010 + (number % 7) / 10_000 for number in range(200)]
    assert significance(first, [value + 0.0004 for value in first]) < 0.01
    assert significance(first, list(reversed(first))) > 0.01

"""SEC-18: limits hold under tricks: in parallel, over other doors, with other keys, headers, addresses and clocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import redis as redis_module
from django.db import connections
from django.test import Client
from prometheus_client import REGISTRY

from apps.accounts.models import Member
from apps.chat.services import conversations
from apps.core import origin, tenancy
from apps.core.api.throttling import buckets_of
from apps.core.errors import TooManyRequests
from apps.core.redis import Script
from apps.core.services import limits
from apps.core.services.limits import Bucket
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of

MOST = 20
ME = "/api/v1/me/"


@pytest.fixture
def security(settings: Any, redis: Any) -> Callable[..., None]:
    """Change settings of the group, such as `security(requests_per_minute=20)`."""

    def change(**values: Any) -> None:
        group = settings.CONFIGURATION.security.model_copy(update=values)
        settings.CONFIGURATION = replace(settings.CONFIGURATION, security=group)

    return change


@pytest.fixture
def slow(security: Callable[..., None]) -> None:
    security(requests_per_minute=MOST, requests_per_minute_of_network=10_000)


@pytest.fixture
def ada(db: None) -> Member:
    return MemberFactory()


def caller(member: Member) -> Client:
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {api_key(member).secret}"
    return client


def browser(member: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user)
    return client


def passed(ask: Callable[[int], Any], times: int = 60) -> int:
    """Ask so often; return how often it was not refused, and see that each refusal says when to come back."""
    answers = [ask(number) for number in range(times)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    return len(answers) - len(refused)


def refused(ask: Callable[[], Any]) -> Any:
    """Return the first refusal; a token may come back in between."""
    return next(answer for answer in (ask() for _ in range(20)) if answer.status_code == 429)


def come_back(began: float, per_minute: int = MOST) -> int:
    """Return how many tokens may have come back since."""
    return int((time.monotonic() - began) * per_minute / 60) + 1


def test_a_burst_passes_and_what_is_beyond_is_told_when_to_come_back(ada: Member, slow: None) -> None:
    client, began = caller(ada), time.monotonic()
    assert MOST <= passed(lambda _: client.get(ME)) <= MOST + come_back(began)
    answer = refused(lambda: client.get(ME))
    assert answer.json()["code"] == "core.rate_limited"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["RateLimit-Remaining"] == "0"


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_pass_no_more_than_one_after_the_other(slow: None) -> None:
    member = MemberFactory()
    secret = api_key(member).secret

    def ask(_number: int) -> int:
        try:
            return Client().get(ME, headers={"Authorization": f"Bearer {secret}"}).status_code
        finally:
            connections.close_all()

    began = time.monotonic()
    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(ask, range(80)))
    assert set(statuses) == {200, 429}
    assert MOST <= statuses.count(200) <= MOST + come_back(began)


VARIANTS: list[dict[str, str]] = [
    {}, {"x-forwarded-for": "{n}.2.3.4"}, {"x-real-ip": "{n}.2.3.4"}, {"forwarded": "for={n}.2.3.4"},
    {"x-client-ip": "10.0.0.{n}"}, {"true-client-ip": "10.0.0.{n}"}, {"user-agent": "b{n}"}, {"accept-language": "de"},
    {"x-original-url": "/{n}"}, {"x-http-method-override": "POST"}, {"x-request-id": "{n}"},
    {"x-forwarded-host": "h{n}.example"}, {"organization": ""}, {"authorization": "BEARER"},
]  # fmt: skip


def test_headers_change_nothing(ada: Member, slow: None) -> None:
    client, began = caller(ada), time.monotonic()
    bearer = client.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")

    def ask(number: int) -> Any:
        chosen = VARIANTS[number % len(VARIANTS)]
        headers = {name: value.format(n=number) for name, value in chosen.items()}
        if "authorization" in headers:
            headers["authorization"] = f"BEARER   {bearer}"
        return client.get(ME, headers=headers)

    assert MOST <= passed(ask) <= MOST + come_back(began)


def test_paths_and_doors_change_nothing(ada: Member, slow: None) -> None:
    """The API, its async views, pages and the way of asking draw on one account."""
    page, began = browser(ada), time.monotonic()
    home = f"/o/{ada.organization.slug}/settings/"
    asks = [
        partial(page.get, ME), partial(page.get, f"{ME}?a={uuid4()}"), partial(page.head, ME), partial(page.get, home),
        partial(page.get, "/api/v1//me/"), partial(page.get, f"/api/v1/conversations/{uuid4()}/messages/"),
        partial(page.get, home, headers={"hx-request": "true"}), partial(page.get, "/"),
    ]  # fmt: skip
    passing = passed(lambda number: asks[number % len(asks)](), times=80)
    unknown = 80 // len(asks)  # an address that is none is answered before anybody is asked
    assert MOST <= passing <= MOST + unknown + come_back(began)
    assert refused(lambda: page.get(home)).headers["Content-Type"].startswith("text/html")
    fragment = refused(lambda: page.get(home, headers={"hx-request": "true"}))
    assert fragment.headers["HX-Retarget"] == "#toasts"


def test_many_keys_of_one_account_count_together(ada: Member, slow: None) -> None:
    clients, began = [*(caller(ada) for _ in range(5)), browser(ada)], time.monotonic()
    assert MOST <= passed(lambda number: clients[number % 6].get(ME)) <= MOST + come_back(began)


def test_one_account_does_not_use_up_what_others_have(ada: Member, slow: None) -> None:
    passed(lambda _: caller(ada).get(ME), times=30)
    assert caller(MemberFactory(organization=ada.organization)).get(ME).status_code == 200


def test_an_organization_has_an_end_too_however_many_accounts_it_makes(
    security: Callable[..., None], db: None
) -> None:
    owner, began = MemberFactory(role="owner"), time.monotonic()
    security(
        requests_per_minute=50,
        requests_per_minute_of_organization=MOST,
        requests_per_minute_of_network=10_000,
    )
    robots = [caller(MemberFactory(organization=owner.organization)) for _ in range(4)]
    assert MOST <= passed(lambda number: robots[number % 4].get(ME)) <= MOST + come_back(began)
    assert caller(MemberFactory()).get(ME).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        lambda number: "192.0.2.9",
        lambda number: f"2001:db8:1:2::{number:x}",
        lambda number: f"2001:DB8:1:2:{number:x}::1",
        lambda number: "::ffff:192.0.2.9" if number % 2 else "192.0.2.9",
    ],
)  # fmt: skip
def test_visitors_of_one_network_count_together(
    db: None, security: Callable[..., None], address: Callable[[int], str]
) -> None:
    security(requests_per_minute_of_network=MOST)
    began = time.monotonic()

    def ask(number: int) -> Any:
        spoofed = {"x-forwarded-for": f"198.51.100.{number}"}
        return Client(REMOTE_ADDR=address(number)).get("/accounts/login/", headers=spoofed)

    assert MOST <= passed(ask) <= MOST + come_back(began)
    assert Client(REMOTE_ADDR="2001:db8:9::1").get("/accounts/login/").status_code == 200


# --- messages: one count for REST, forms and sockets ---


async def spend(purse: limits.Purse, times: int) -> int:
    """Return how many of so many messages a socket may send."""
    spent = 0
    for _ in range(times):
        try:
            await purse.spend()
        except TooManyRequests:
            continue
        spent += 1
    return spent


def purse_of(member: Member) -> limits.Purse:
    return limits.Purse([limits.messages_of(member.user_id), limits.messages_in(member.organization_id)])


def test_messages_count_over_forms_rest_and_sockets_together(
    ada: Member, security: Callable[..., None]
) -> None:
    security(message_burst=MOST, messages_per_minute=1)
    with tenancy.use(ada.organization_id):
        room = conversations.create_channel(
            principal=principal_of(ada), name="kai", description="", is_private=False, people=()
        )
    page, api, began = browser(ada), caller(ada), time.monotonic()

    def form(_number: int) -> Any:
        where = f"/o/{ada.organization.slug}/c/{room}/send/"
        return page.post(where, {"body": "x", "client_key": uuid4().hex})

    assert asyncio.run(spend(purse_of(ada), 8)) == 8
    sent = passed(form, times=30)
    assert MOST - 10 <= sent <= MOST - 8 + come_back(began, 1)
    assert asyncio.run(spend(purse_of(ada), 30)) <= MOST - 8 - sent + come_back(began, 1)
    body = {"body": "x", "client_key": uuid4().hex}
    answer = api.post(f"/api/v1/conversations/{room}/messages/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "core.rate_limited")


async def test_what_a_socket_took_ahead_it_gives_back(security: Callable[..., None]) -> None:
    security(message_burst=MOST * 5, messages_per_minute=1)
    bucket = limits.messages_of(uuid4())
    purse = limits.Purse([bucket])
    await purse.spend()
    assert limits.take([bucket], cost=0).remaining == MOST * 5 - 10
    await purse.empty()
    assert limits.take([bucket], cost=0).remaining == MOST * 5 - 1


# --- clocks, and a Redis that is away ---


def test_no_edge_of_a_minute_gives_a_second_burst(redis: Any) -> None:
    bucket = Bucket("edge", "a", 60, MOST)
    passing = sum(limits.take([bucket]).is_allowed for _ in range(MOST * 2))
    for at in (-900, -1000, 59_000, 120_000):  # half a token, one token, then a clock that went back
        redis.hincrby(bucket.key, "at", at)
        passing += sum(limits.take([bucket]).is_allowed for _ in range(MOST))
    assert MOST + 1 <= passing <= MOST + 4


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis refuses every call."""

    def refuse(*_args: Any, **_options: Any) -> None:
        raise redis_module.ConnectionError

    monkeypatch.setattr(Script, "run_each", refuse)
    monkeypatch.setattr(limits, "_local", limits._LocalBuckets())
    yield
    limits._breaker.forget()


@pytest.mark.parametrize("processes", [1, 4])
def test_without_redis_the_processes_together_let_no_more_through(
    away: None, settings: Any, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = settings.CONFIGURATION.server.model_copy(update={"web_processes": processes})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, server=server)
    bucket, passing = Bucket("away", "a", 1, MOST), 0
    for _process in range(processes):
        monkeypatch.setattr(limits, "_local", limits._LocalBuckets())
        passing += sum(limits.take([bucket]).is_allowed for _ in range(MOST * 2))
    assert passing == MOST


def test_without_redis_requests_are_still_counted(ada: Member, slow: None, away: None) -> None:
    client, began = caller(ada), time.monotonic()
    assert MOST <= passed(lambda _: client.get(ME)) <= MOST + come_back(began)


def test_refusals_are_counted_by_the_limit_that_spoke(ada: Member, slow: None) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("chatsystem_limited_total", {"limit": "requests"}) or 0.0

    before, client = count(), caller(ada)
    refused = 60 - passed(lambda _: client.get(ME))
    assert count() - before == refused > 0


def test_every_caller_is_counted_by_account_key_organization_and_network(ada: Member) -> None:
    with origin.use(address="192.0.2.7"):
        named = {bucket.name: bucket.sender for bucket in buckets_of(principal_of(ada, session="key"))}
    assert named == {
        "requests": str(ada.user_id), "requests_of_key": "key",
        "requests_of_organization": str(ada.organization_id), "requests_of_network": "192.0.2.7",
    }  # fmt: skip


def test_bite_without_the_count_everything_passes(
    ada: Member, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Script, "run_each", lambda _self, calls: [[0, *(MOST for _ in keys)] for keys, _ in calls]
    )
    client = caller(ada)
    assert passed(lambda _: client.get(ME)) == 60


def test_bite_a_limiter_that_reads_then_writes_lets_too_many_through(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parallel probe sees what an atomic script prevents: everybody reads the same level, then everybody takes."""
    together = threading.Barrier(8)

    def careless(keys: list[str], args: list[float]) -> list[int]:
        level = int(redis.get(f"{keys[0]}:plain") or args[2])
        together.wait(5)
        redis.set(f"{keys[0]}:plain", level - 1)
        return [0 if level >= 1 else 1000, level - 1]

    monkeypatch.setattr(Script, "run_each", lambda _self, calls: [careless(*call) for call in calls])
    with ThreadPoolExecutor(8) as threads:
        allowed = sum(threads.map(lambda _: limits.take([Bucket("bite", "a", 1, 2)]).is_allowed, range(8)))
    assert allowed > 2

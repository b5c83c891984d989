"""How long anybody is waited for, hosts that fail, and which peer is talked to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY

from apps.core import tenancy
from apps.core.outbound import exchange as exchanges
from apps.core.outbound import fetching
from apps.core.outbound.errors import AddressNotAllowed, ContentTypeNotAllowed, FetchTooLarge, HostUnavailable
from apps.core.outbound.exchange import Connect, LookUp, exchange
from apps.core.outbound.types import Fetch, Policy
from apps.core.services.breaker import Broken
from apps.core.tenancy import OrganizationUnset
from tests.core.outbound.doors import Get, UsePolicy
from tests.core.outbound_servers import CANARY, PUBLIC, drip, endless, hang, redirect, reply, served
from tests.factories.accounts import OrganizationFactory

# Times


@pytest.mark.parametrize(
    "play",
    [
        hang,
        drip(b""),
        drip(b"HTTP/1.1 200 OK\r\nX: "),
        drip(reply(b"", length=False)),
        drip(reply(b"", "Content-Length: 1000", length=False)),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["silence", "drip", "dripping head", "dripping body", "dripping promise", "endless continue"],
)
def test_the_time_is_counted_as_a_whole(
    get: Get, use_policy: UsePolicy, play: Callable[[socket.socket], None]
) -> None:
    with served(PUBLIC, {"/": play}) as server:
        use_policy(server.port)
        begun = time.monotonic()
        with pytest.raises(HostUnavailable):
            get(server.url(), timeout_seconds=0.3)
        assert time.monotonic() - begun < 2


def test_redirects_share_the_time(get: Get, use_policy: UsePolicy) -> None:
    def late(line: socket.socket) -> None:
        threading.Event().wait(1.0)
        line.sendall(redirect("/"))

    with served(PUBLIC, {"/": late}) as server:
        use_policy(server.port)
        with pytest.raises(HostUnavailable):
            get(server.url(), timeout_seconds=1.6)
        assert server.hits == 2


def test_nobody_waits_longer_than_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    going = exchange(Fetch(url="http://slow.example/", purpose="test", timeout_seconds=3600), Policy())
    assert isinstance(next(going), LookUp)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 10.1)
    with pytest.raises(HostUnavailable):
        going.send(["93.184.216.34"])


def test_a_slow_name_server_is_not_waited_for(
    get: Get, use_policy: UsePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "RESOLVE_SECONDS", 0.1)
    end = threading.Event()

    def slow(name: str, port: int) -> list[str]:
        end.wait(5)
        return [PUBLIC]

    use_policy(80, look_up=slow)
    begun = time.monotonic()
    try:
        for _ in range(4):
            with pytest.raises(HostUnavailable):
                get("http://slow.example/")
        assert time.monotonic() - begun < 2
    finally:
        end.set()


def test_nobody_there(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {}) as server:
        port = server.port
    use_policy(port)
    with pytest.raises(HostUnavailable):
        get(f"http://{PUBLIC}:{port}/")


def test_the_next_address_is_tried(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply()}) as server:
        names = {"two.example": [["127.0.0.4", PUBLIC]]}
        use_policy(server.port, names=names, is_allowed=lambda address: str(address) in ("127.0.0.4", PUBLIC))
        assert get(server.url(host="two.example")).body == b"hello"


# The peer


def test_the_peer_is_compared_with_what_was_checked() -> None:
    going = exchange(Fetch(url="http://moved.example/", purpose="test"), Policy())
    assert next(going) == LookUp("moved.example", 80, pytest.approx(3, abs=1))
    wish = going.send(["93.184.216.34"])
    assert isinstance(wish, Connect)
    assert wish.host == "93.184.216.34"
    with pytest.raises(AddressNotAllowed):
        going.send(CANARY)


# The breaker, figures and the context


def test_a_host_that_fails_is_left_alone(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(b"", status="503 Busy"), "/fine": reply()}) as server:
        use_policy(server.port, names={"other.example": [[PUBLIC]]})
        for _ in range(5):
            assert get(server.url()).status == 503
        with pytest.raises(Broken) as refusal:
            get(server.url("/fine"))
        assert 0 < (refusal.value.retry_after_seconds or 0) <= 15
        assert server.hits == 5
        assert get(server.url("/fine", "other.example")).status == 200  # another host
        with tenancy.use(OrganizationFactory().pk):
            assert get(server.url("/fine")).status == 200  # another organization


def test_refusals_do_not_open_the_breaker(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(kind="text/x")}) as server:
        use_policy(server.port)
        for _ in range(6):
            with pytest.raises(ContentTypeNotAllowed):
                get(server.url(), content_types=["text/html"])
        assert get(server.url()).status == 200


def counted(outcome: str) -> float:
    return (
        REGISTRY.get_sample_value(
            "chatsystem_outbound_requests_total", {"purpose": "test", "outcome": outcome}
        )
        or 0
    )


def test_outcomes_are_counted(get: Get, use_policy: UsePolicy) -> None:
    before = {
        outcome: counted(outcome) for outcome in ("done", "blocked", "host_unavailable", "fetch_too_large")
    }
    with served(PUBLIC, {"/": reply()}) as server:
        use_policy(server.port)
        get(server.url())
        for url, limit in ((server.url(host=CANARY), 100), (server.url(), 1)):
            with suppress(AddressNotAllowed, FetchTooLarge):
                get(url, max_bytes=limit)
    with suppress(HostUnavailable):
        get(server.url())
    assert {outcome: counted(outcome) - count for outcome, count in before.items()} == dict.fromkeys(
        before, 1
    )


def test_outside_an_organization_nothing_is_fetched(db: None) -> None:
    with pytest.raises(OrganizationUnset):
        fetching.fetch(Fetch(url="http://93.184.216.34/", purpose="test"))

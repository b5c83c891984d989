"""The fetcher against servers that behave, and that do not: sizes, times, types, TLS, proxy, breaker, lists."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.core.outbound import exchange as exchanges
from apps.core.outbound import fetching, operator
from apps.core.outbound.errors import (
    AddressNotAllowed,
    ContentTypeNotAllowed,
    FetchFailed,
    FetchTooLarge,
    HostPatternInvalid,
    HostUnavailable,
    OutboundHostNotFound,
    TooManyRedirects,
)
from apps.core.outbound.exchange import Connect, LookUp, exchange
from apps.core.outbound.rules import HostRules, clean_pattern
from apps.core.outbound.types import LARGEST_BYTES, Fetch, Fetched, Policy, Proxy
from apps.core.outbound.urls import read
from apps.core.selectors.outbound_hosts import host_rules, list_hosts
from apps.core.services import breaker as breakers
from apps.core.services.breaker import Broken
from apps.core.services.outbound_hosts import remove_host, set_host
from apps.core.tenancy import OrganizationUnset
from tests.core.certificates import Authority
from tests.core.outbound_servers import CANARY, PUBLIC, Names, Server, public_here, redirect, reply, served
from tests.factories.accounts import OrganizationFactory

Get = Callable[..., Fetched]
ACTOR = UUID(int=5)
UsePolicy = Callable[..., Names]


@pytest.fixture
def organization_id(db: None) -> Iterator[UUID]:
    organization = OrganizationFactory()
    breakers.forget()
    with tenancy.use(organization.pk):
        yield organization.pk


@pytest.fixture
def use_policy(organization_id: UUID, monkeypatch: pytest.MonkeyPatch) -> UsePolicy:
    def use(*ports: int, names: dict[str, list[list[str]]] | None = None, **other: Any) -> Names:
        server = Names(names or {})
        policy = Policy(**({"ports": frozenset(ports), "is_allowed": public_here, "look_up": server} | other))
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        return server

    return use


@pytest.fixture(params=["fetch", "fetch_async"])
def get(request: pytest.FixtureRequest) -> Get:
    """Each test goes through the blocking and the async door."""
    blocking = request.param == "fetch"

    def ask(url: str, **wanted: Any) -> Fetched:
        asked = Fetch(url=url, purpose="test", **wanted)
        return fetching.fetch(asked) if blocking else asyncio.run(fetching.fetch_async(asked))

    return ask


def hang(line: socket.socket) -> None:
    line.recv(1)


def drip(first: bytes) -> Callable[[socket.socket], None]:
    """Sends a byte whenever 20 ms passed, for as long as somebody listens."""

    def play(line: socket.socket) -> None:
        line.sendall(first)
        gone = threading.Event()
        while not gone.wait(0.02):
            line.sendall(b"x")

    return play


def endless(first: bytes, piece: bytes = b"x" * 65536) -> Callable[[socket.socket], None]:
    def play(line: socket.socket) -> None:
        line.sendall(first)
        while True:
            line.sendall(piece)

    return play


def chunked(*pieces: bytes) -> bytes:
    head = reply(b"", "Transfer-Encoding: chunked", length=False)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


# What is said and heard


def test_what_is_sent_is_ours_and_nothing_else(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/a?b=%20": reply(b"hi", "Set-Cookie: spy=1", "X-Kind: one")}) as server:
        use_policy(server.port)
        answer = get(server.url("/a?b=%20#part"), headers={"X-Wish": "yes"}, content_types=["text/plain"])
    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"hi")
    assert answer.headers["x-kind"] == "one"
    assert "set-cookie" not in answer.headers
    lines = set(server.heads[0].split("\r\n"))
    assert lines == {
        "GET /a?b=%20 HTTP/1.1",
        f"Host: {PUBLIC}:{server.port}",
        "User-Agent: chatsystem",
        "Accept: text/plain",
        "Accept-Encoding: gzip",
        "Connection: close",
        "X-Wish: yes",
    }


def test_a_body_is_posted_and_never_sent_on(get: Get, use_policy: UsePolicy) -> None:
    with served(
        PUBLIC, {"/in": reply(b"ok", status="201 Created"), "/on": redirect("/in", "307 Go")}
    ) as server:
        use_policy(server.port)
        assert get(server.url("/in"), method="POST", body=b"{}").status == 201
        assert server.bodies == [b"{}"]
        with pytest.raises(TooManyRedirects):
            get(server.url("/on"), method="POST", body=b"{}")
        assert get(server.url("/on"), method="POST", body=b"{}", max_redirects=0).status == 307
        assert server.hits == 3


def test_redirects_are_followed_three_times(get: Get, use_policy: UsePolicy) -> None:
    chain = {f"/{at}": redirect(f"/{at + 1}") for at in range(4)} | {"/4": reply()}
    with served(PUBLIC, chain) as server:
        use_policy(server.port)
        assert get(server.url("/1")).body == b"hello"
        with pytest.raises(TooManyRedirects):
            get(server.url("/0"))
        assert server.hits == 8


def test_a_loop_of_redirects_ends(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": redirect("/")}) as server:
        use_policy(server.port)
        with pytest.raises(TooManyRedirects):
            get(server.url())
        assert server.hits == 4


@pytest.mark.parametrize(
    "name", ["Cookie", "HOST", "Proxy-Authorization", "X-Forwarded-For", "a b", "a:", "ä", ""]
)
def test_headers_of_the_fetcher_cannot_be_written(get: Get, use_policy: UsePolicy, name: str) -> None:
    use_policy(80)
    with pytest.raises(ValueError):
        get(f"http://{PUBLIC}/", headers={name: "x"})


@pytest.mark.parametrize("value", ["a\r\nX-Smuggled: 1", "a\nb", "a\x00", "ä"])
def test_a_header_value_holds_no_line_break(get: Get, use_policy: UsePolicy, value: str) -> None:
    use_policy(80)
    with pytest.raises(AddressNotAllowed):
        get(f"http://{PUBLIC}/", headers={"X-Wish": value})


def test_an_answer_that_is_no_success_is_returned_short(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(b"x" * 200_000, status="500 Oops")}) as server:
        use_policy(server.port)
        answer = get(server.url(), content_types=["application/json"])
    assert (answer.status, answer.is_success, len(answer.body)) == (500, False, 65536)


def test_head_has_no_body(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(b"", "Content-Encoding: gzip")}) as server:
        use_policy(server.port)
        assert get(server.url(), method="HEAD").body == b""


@pytest.mark.parametrize(
    ("kind", "wanted", "fits"),
    [
        ("text/html; charset=utf-8", ["text/html"], True),
        ("TEXT/HTML", ["text/html"], True),
        ("image/png", ["text/html", "image/*"], True),
        ("application/octet-stream", ["text/html", "image/*"], False),
        ("", ["text/html"], False),
        ("text/htmlx", ["text/html"], False),
        ("anything/else", [], True),
    ],
)
def test_the_caller_says_what_may_come(
    get: Get, use_policy: UsePolicy, kind: str, wanted: list[str], fits: bool
) -> None:
    with served(PUBLIC, {"/": reply(b"x", kind=kind)}) as server:
        use_policy(server.port)
        if fits:
            assert get(server.url(), content_types=wanted).body == b"x"
        else:
            with pytest.raises(ContentTypeNotAllowed):
                get(server.url(), content_types=wanted)


# Sizes


def test_a_body_up_to_the_limit_is_read(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(b"x" * 1000)}) as server:
        use_policy(server.port)
        assert len(get(server.url(), max_bytes=1000).body) == 1000
        with pytest.raises(FetchTooLarge):
            get(server.url(), max_bytes=999)


def test_nobody_gets_more_than_ten_mebibytes(get: Get, use_policy: UsePolicy) -> None:
    head = reply(b"", length=False)
    sent = endless(head)
    with served(
        PUBLIC, {"/": sent, "/claims": reply(b"", f"Content-Length: {LARGEST_BYTES + 1}", length=False)}
    ) as server:
        use_policy(server.port)
        with pytest.raises(FetchTooLarge) as refusal:
            get(server.url(), max_bytes=10**12)
        assert "10240 KB" in refusal.value.detail
        with pytest.raises(FetchTooLarge):  # told from the head alone
            get(server.url("/claims"))


def test_an_endless_chunked_body_is_cut(get: Get, use_policy: UsePolicy) -> None:
    head = reply(b"", "Transfer-Encoding: chunked", length=False)
    with served(PUBLIC, {"/": endless(head, b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")}) as server:
        use_policy(server.port)
        with pytest.raises(FetchTooLarge):
            get(server.url(), max_bytes=200_000)


def test_packed_bodies_are_unpacked(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(gzip.compress(b"hello" * 1000), "Content-Encoding: GZIP")}) as server:
        use_policy(server.port)
        assert get(server.url()).body == b"hello" * 1000


def test_a_bomb_is_counted_unpacked(get: Get, use_policy: UsePolicy) -> None:
    bomb = gzip.compress(b"\0" * (20 * 1024 * 1024))
    assert len(bomb) < 100_000
    with served(PUBLIC, {"/": reply(bomb, "Content-Encoding: gzip")}) as server:
        use_policy(server.port)
        with pytest.raises(FetchTooLarge):
            get(server.url())


def wrong_bodies() -> dict[str, bytes]:
    packed = gzip.compress(b"hello" * 100)
    return {
        "cut in the middle": reply(packed[:-10], "Content-Encoding: gzip"),
        "not packed at all": reply(b"hello", "Content-Encoding: gzip"),
        "unknown packing": reply(b"hello", "Content-Encoding: br"),
        "packed twice": reply(gzip.compress(packed), "Content-Encoding: gzip, gzip"),
        "raw deflate": reply(zlib.compress(b"hello"), "Content-Encoding: deflate"),
        "longer than it is": reply(b"hello", "Content-Length: 500", length=False),
        "two lengths": reply(b"hello", "Content-Length: 5", "Content-Length: 6", length=False),
        "length that is no number": reply(b"hello", "Content-Length: five", length=False),
        "negative length": reply(b"hello", "Content-Length: -5", length=False),
        "chunks that are none": reply(b"zz\r\nhello", "Transfer-Encoding: chunked", length=False),
        "chunks that do not end": chunked(b"hello"),
        "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "head without end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        "one long line": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
        "no status": b"HTTP/1.1 hello\r\n\r\n",
        "nothing": b"",
        "other protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    }


@pytest.mark.parametrize("what", wrong_bodies())
def test_what_is_no_answer_is_refused(get: Get, use_policy: UsePolicy, what: str) -> None:
    with served(PUBLIC, {"/": wrong_bodies()[what]}) as server:
        use_policy(server.port)
        with pytest.raises(FetchFailed):
            get(server.url())


def test_a_length_shorter_than_the_body_cuts_it(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply(b"hello and more", "Content-Length: 5", length=False)}) as server:
        use_policy(server.port)
        assert get(server.url()).body == b"hello"


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


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[tuple[Server, list[str | None]]]:
    context, named = authority.server_context("good.example"), []
    context.sni_callback = lambda line, name, given: named.append(name)
    answers = {"/": reply(b"secret"), "/down": redirect("http://good.example/")}
    with served(PUBLIC, answers, context=context) as server:
        yield server, named


def test_tls_names_and_checks_the_host(
    get: Get, use_policy: UsePolicy, authority: Authority, tls_server: tuple[Server, list[str | None]]
) -> None:
    server, named = tls_server
    names = {"good.example": [[PUBLIC]], "evil.example": [[PUBLIC]]}
    use_policy(server.port, names=names, tls=authority.client_context)
    assert get(f"https://good.example:{server.port}/").body == b"secret"
    with pytest.raises(FetchFailed):
        get(f"https://evil.example:{server.port}/")
    assert named == ["good.example", "evil.example"]
    assert server.hits == 1


def test_a_certificate_nobody_knows_is_refused(
    get: Get, use_policy: UsePolicy, tls_server: tuple[Server, list[str | None]]
) -> None:
    server, _ = tls_server
    use_policy(server.port, names={"good.example": [[PUBLIC]]}, tls=ssl.create_default_context)
    with pytest.raises(FetchFailed):
        get(f"https://good.example:{server.port}/")
    assert server.hits == 0


def test_https_is_never_left(
    get: Get, use_policy: UsePolicy, authority: Authority, tls_server: tuple[Server, list[str | None]]
) -> None:
    server, _ = tls_server
    use_policy(80, server.port, names={"good.example": [[PUBLIC]]}, tls=authority.client_context)
    with pytest.raises(AddressNotAllowed):
        get(f"https://good.example:{server.port}/down")


def test_credentials_reach_the_first_origin_over_https_only(
    get: Get, use_policy: UsePolicy, authority: Authority
) -> None:
    key = {"Authorization": "Bearer of-the-address"}
    with served(PUBLIC, {"/": reply(b"other")}, context=authority.server_context("other.example")) as other:
        answers = {"/": redirect("/same"), "/same": redirect(f"https://other.example:{other.port}/")}
        with served(PUBLIC, answers, context=authority.server_context("good.example")) as server:
            names = {"good.example": [[PUBLIC]], "other.example": [[PUBLIC]]}
            use_policy(server.port, other.port, names=names, tls=authority.client_context)
            assert get(f"https://good.example:{server.port}/", credentials=key).body == b"other"
            assert ["of-the-address" in head for head in server.heads] == [True, True]
            assert ["of-the-address" in head for head in other.heads] == [False]
            with pytest.raises(AddressNotAllowed):
                get(f"http://good.example:{server.port}/", credentials=key)


# The operator's proxy


def test_a_proxy_is_asked_for_the_checked_address(get: Get, use_policy: UsePolicy) -> None:
    def tunnel(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        asked = line.recv(65536)
        line.sendall(reply(asked.split(b"\r\n")[1]))

    with served(CANARY, {"93.184.216.34:80": tunnel}) as server:
        proxy = Proxy(host=CANARY, port=server.port, authorization="Basic eDp5")
        names = {
            "public.example": [["93.184.216.34"]],
            "inside.example": [[CANARY]],
            "mixed.example": [["93.184.216.34", CANARY]],
        }
        use_policy(80, names=names, proxy=proxy)
        assert get("http://public.example/").body == b"Host: public.example"
        assert "CONNECT 93.184.216.34:80" in server.heads[0]
        assert "Proxy-Authorization: Basic eDp5" in server.heads[0]
        for url in ("http://inside.example/", "http://mixed.example/", "http://127.0.0.1/"):
            with pytest.raises(AddressNotAllowed):
                get(url)
        assert server.hits == 1


@pytest.mark.parametrize("said", [b"HTTP/1.1 407 No\r\n\r\n", b"", b"x" * 9_000])
def test_a_proxy_that_refuses_is_a_host_that_is_away(get: Get, use_policy: UsePolicy, said: bytes) -> None:
    with served(CANARY, {"93.184.216.34:80": said}) as server:
        use_policy(80, proxy=Proxy(host=CANARY, port=server.port))
        with pytest.raises(HostUnavailable):
            get("http://93.184.216.34/")


def test_the_proxy_comes_from_the_settings(settings: Any) -> None:
    def given(url: str) -> None:
        group = settings.CONFIGURATION.outbound.model_copy(update={"outbound_proxy": SecretStr(url)})
        settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)

    given("")
    assert operator.proxy() is None
    given("http://me:p%40ss@proxy.example:3128")
    assert operator.proxy() == Proxy(host="proxy.example", port=3128, authorization="Basic bWU6cEBzcw==")
    assert "bWU6" not in repr(operator.proxy())
    given("socks5://proxy.example")
    with pytest.raises(ValueError):
        operator.proxy()


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


# The lists of an organization


def test_lists_decide_which_hosts_are_reached(organization_id: UUID) -> None:
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://anything.example/"))
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="*.Bad.example", is_allowed=False)
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://bad.example/"))
    for url in ("http://a.bad.example/", "https://a.b.BAD.example./"):
        with pytest.raises(AddressNotAllowed):
            rules.require(read(url))
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="good.example", is_allowed=True)
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://good.example/"))
    for url in (
        "http://other.example/",
        "http://a.good.example/",
        "http://xgood.example/",
        "http://93.184.216.34/",
    ):
        with pytest.raises(AddressNotAllowed):
            rules.require(read(url))


def test_lists_hold_on_every_hop(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply()}) as server:
        names = {"good.example": [[PUBLIC]], "bad.example": [[PUBLIC]]}
        with served(PUBLIC, {"/": redirect(server.url(host="bad.example"))}) as first:
            use_policy(
                server.port, first.port, names=names, rules=HostRules(denied=frozenset({"bad.example"}))
            )
            with pytest.raises(AddressNotAllowed):
                get(first.url(host="good.example"))
            assert (first.hits, server.hits) == (1, 0)


def test_lists_belong_to_one_organization(organization_id: UUID) -> None:
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="mine.example", is_allowed=True)
    other = OrganizationFactory().pk
    assert host_rules(organization_id=other) == HostRules()
    (mine,) = list_hosts(organization_id=organization_id)
    with pytest.raises(OutboundHostNotFound):
        remove_host(organization_id=other, actor_id=ACTOR, host_id=mine.id)
    assert list_hosts(organization_id=organization_id) == [mine]


def test_naming_a_host_again_moves_it(organization_id: UUID) -> None:
    for is_allowed in (True, False):
        set_host(
            organization_id=organization_id, actor_id=ACTOR, pattern="one.example", is_allowed=is_allowed
        )
    (host,) = list_hosts(organization_id=organization_id)
    assert not host.is_allowed
    remove_host(organization_id=organization_id, actor_id=ACTOR, host_id=host.id)
    assert list_hosts(organization_id=organization_id) == []
    written = AuditEntry.objects.order_by("id").values_list("action", "actor_id", "details__pattern")
    assert list(written) == [
        ("outbound_host.listed", ACTOR, "one.example"),
        ("outbound_host.listed", ACTOR, "one.example"),
        ("outbound_host.removed", ACTOR, "one.example"),
    ]


PATTERNS = [
    "", "*", "*.", "com", "*.com", "a b.example", "http://a.example", "a.example/x", "a.*.b", "-a.example",
    "a..example",
    "x@a.example", "a.example:80", "ä" * 300 + ".example",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_is_no_host_is_refused(organization_id: UUID, pattern: str) -> None:
    with pytest.raises(HostPatternInvalid):
        set_host(organization_id=organization_id, actor_id=ACTOR, pattern=pattern, is_allowed=True)
    assert list_hosts(organization_id=organization_id) == []


def test_patterns_are_stored_in_one_spelling() -> None:
    assert clean_pattern(" *.Bücher.Example. ") == "*.xn--bcher-kva.example"


# Addresses of the operator


def test_the_operators_list_is_exact(settings: Any) -> None:
    group = settings.CONFIGURATION.outbound.model_copy(
        update={"operator_addresses": "http://10.0.0.5:11434, https://S3.internal/"}
    )
    model = settings.CONFIGURATION.model.model_copy(update={"llm_base_url": "http://127.0.0.1:11434/v1"})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group, model=model)
    assert operator.addresses() == {("10.0.0.5", 11434), ("s3.internal", 443), ("127.0.0.1", 11434)}


def test_people_never_reach_the_operators_list(get: Get, use_policy: UsePolicy, settings: Any) -> None:
    with served(CANARY, {"/": reply()}) as server:
        group = settings.CONFIGURATION.outbound.model_copy(update={"operator_addresses": server.url()})
        settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)
        use_policy(server.port)
        with pytest.raises(AddressNotAllowed):
            get(server.url())
        assert server.hits == 0

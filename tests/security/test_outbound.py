"""SEC-05: the server fetches nothing internal for anybody. Real sockets; a canary on 127.0.0.1 counts who comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import pytest

from apps.core import tenancy
from apps.core.outbound import fetching
from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.types import Fetch, Fetched, Policy
from tests.core.outbound_servers import CANARY, PUBLIC, Names, Server, public_here, redirect, reply, served
from tests.factories.accounts import OrganizationFactory

INTERNAL_NAMES = [
    "localhost", "localhost.", "LOCALHOST", "LocalHost", "sub.localhost", "localhost.localdomain", "ip6-localhost",
    "metadata.google.internal", "kubernetes.default.svc", "intranet", "127.0.0.1.nip.example", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ", "localhost。", "loc\u00adalhost", "lo\u200bcalhost",
]  # fmt: skip
SPELLINGS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.0.0.01", "127.0.0.001", "0127.0.0.1", "0177.0.0.1",
    "0177.0.0.01", "0177.1", "0x7f.0.0.1", "0x7f.1", "0X7F.0.0.1", "0x7f000001", "0x7F.0x0.0x0.0x1", "2130706433",
    "017700000001", "4294967297", "127.0.0.1.1", "127.0.0.3", "127.255.255.254", "0.0.0.0", "0", "0x0", "0.0", "00",
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "169.254.169.254", "169.254.170.2", "2852039166", "0xA9FEA9FE",
    "0251.0376.0251.0376", "169.254.43518", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:7F00:0001]",
    "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2002:808:808::1]", "[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2a00:1450::5efe:7f00:1]",
    "[2a00:1450::200:5efe:a00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "[fc00::1]",
    "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[2001:20::1]",
    "[4000::1]", "[::1", "::1", "[127.0.0.1]", "[v1.fe80::1]", "１２７.０.０.１", "127。0。0。1", "127．0．0．1",
    "①②⑦.⓪.⓪.①",
    "127.0.0.%31", "%31%32%37.0.0.1", "%6c%6f%63%61%6c%68%6f%73%74", "127.0.0.1%00", "127.0.0.1%2e",
    "public.example@127.0.0.1", "public.example:80@127.0.0.1", ":@127.0.0.1", "127.0.0.1\\@public.example",
    "127.0.0.1#@public.example", "127.0.0.1?@public.example", "127.0.0.1/@public.example", "public.example%40127.0.0.1",
    *INTERNAL_NAMES,
]  # fmt: skip
BROKEN = [
    "127.0.0.1 ", " 127.0.0.1", "127.0.0.1\t", "\t127.0.0.1", "127.0.0.1\n", "127.0.0.1\r\nHost: public.example",
    "127.0.0.1\x00", "127.0.0.1\x00.public.example", "127.0.0.1\u2028", "",
]  # fmt: skip
Get = Callable[[str], Fetched]


def url_of(spelling: str, port: int, path: str = "/secret") -> str:
    for mark in ("#", "?", "/"):
        host, found, rest = spelling.partition(mark)
        if found:
            return f"http://{host}:{port}{found}{rest}"
    return f"http://{spelling}:{port}{path}"


@pytest.fixture
def canary() -> Iterator[Server]:
    with served(CANARY, {"/secret": reply(b"the key to everything"), "/": reply(b"the key")}) as server:
        yield server


@pytest.fixture
def use_policy(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Names]]:
    """Let `fetch` see these names and ports: `use_policy({name: [addresses]}, ports, ...)`."""

    def use(names: dict[str, list[list[str]]], *ports: int, **other: Any) -> Names:
        server = Names(names)
        policy = Policy(**({"ports": frozenset(ports), "is_allowed": public_here, "look_up": server} | other))
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        return server

    with tenancy.use(OrganizationFactory().pk):
        yield use


@pytest.fixture
def get(request: pytest.FixtureRequest) -> Get:
    """The blocking or the async door."""
    if request.param == "fetch":
        return lambda url: fetching.fetch(Fetch(url=url, purpose="test"))
    return lambda url: asyncio.run(fetching.fetch_async(Fetch(url=url, purpose="test")))


both_doors = pytest.mark.parametrize("get", ["fetch", "fetch_async"], indirect=True)


class Connections:
    """Every connection this process tries, told by the interpreter itself."""

    def __init__(self) -> None:
        self.to: list[tuple[str, int]] = []
        self.listens = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.listens and event == "socket.connect" and isinstance(args[1], tuple):
            self.to.append(args[1][:2])


_connections = Connections()
sys.addaudithook(_connections)


@pytest.fixture
def connections() -> Iterator[Connections]:
    _connections.to, _connections.listens = [], True
    yield _connections
    _connections.listens = False


def names_inside() -> dict[str, list[list[str]]]:
    ascii_names = {name.lower().rstrip(".") for name in INTERNAL_NAMES if name.isascii()}
    return {name: [[CANARY]] for name in ascii_names} | {"public.example": [[PUBLIC]]}


def refused(get: Get, url: str) -> bool:
    try:
        get(url)
    except AddressNotAllowed as error:
        return (error.code, error.status, error.detail) == (
            "core.address_not_allowed", 422, AddressNotAllowed().detail,
        )  # fmt: skip
    return False


@both_doors
def test_no_spelling_of_an_internal_address_is_reached(
    get: Get, canary: Server, connections: Connections, use_policy: Callable[..., Names]
) -> None:
    use_policy(names_inside(), canary.port)
    wanted = [*SPELLINGS, *BROKEN]
    assert len(SPELLINGS) >= 86
    assert [spelling for spelling in wanted if not refused(get, url_of(spelling, canary.port))] == []
    assert (canary.hits, connections.to) == (0, [])


@both_doors
def test_no_redirect_leads_inside(
    get: Get, canary: Server, connections: Connections, use_policy: Callable[..., Names]
) -> None:
    targets = [url_of(spelling, canary.port) for spelling in SPELLINGS]
    targets += [target.removeprefix("http:") for target in targets]  # without scheme
    targets += [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "ftp://127.0.0.1/",
        "javascript:1",
        "data:,x",
    ]
    answers = {f"/{at}": redirect(target) for at, target in enumerate(targets)}
    with served(PUBLIC, answers) as public:
        use_policy(names_inside(), canary.port, public.port)
        reached = [
            target
            for at, target in enumerate(targets)
            if not refused(get, public.url(f"/{at}", host="public.example"))
        ]
        assert public.hits == len(targets)
    assert reached == []
    assert canary.hits == 0
    assert {address for address, _ in connections.to} == {PUBLIC}


@both_doors
def test_a_name_with_any_internal_address_is_refused(
    get: Get, canary: Server, connections: Connections, use_policy: Callable[..., Names]
) -> None:
    inside = [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "fe80::1%lo",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ]
    mixes = {f"mixed-{at}.example": [[PUBLIC, address]] for at, address in enumerate(inside)}
    mixes |= {f"turned-{at}.example": [[address, PUBLIC]] for at, address in enumerate(inside)}
    mixes |= {f"alone-{at}.example": [[address]] for at, address in enumerate(inside)}
    mixes |= {"none.example": [[]], "many.example": [[PUBLIC] * 17], "odd.example": [["127.1"]]}
    use_policy(mixes, canary.port)
    assert [name for name in mixes if not refused(get, f"http://{name}:{canary.port}/")] == []
    assert refused(get, f"http://unknown.example:{canary.port}/")
    assert (canary.hits, connections.to) == (0, [])


@both_doors
def test_a_name_that_changes_after_the_check_changes_nothing(
    get: Get, canary: Server, use_policy: Callable[..., Names]
) -> None:
    with served(PUBLIC, {"/": reply(b"outside")}, port=canary.port) as public:
        names = use_policy({"rebound.example": [[PUBLIC], [CANARY]]}, canary.port)
        assert get(f"http://rebound.example:{public.port}/").body == b"outside"
        assert names.asked == ["rebound.example"]
        assert refused(get, f"http://rebound.example:{public.port}/")
    assert canary.hits == 0


@both_doors
def test_each_hop_is_looked_up_and_checked_anew(
    get: Get, canary: Server, use_policy: Callable[..., Names]
) -> None:
    with served(PUBLIC, {"/": redirect("/next")}, port=canary.port) as public:
        names = use_policy({"rebound.example": [[PUBLIC], [CANARY]]}, canary.port)
        assert refused(get, f"http://rebound.example:{public.port}/")
        assert names.asked == ["rebound.example"] * 2
    assert canary.hits == 0


@both_doors
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_a_chain_that_ends_inside_is_refused_at_its_end(
    get: Get, hops: int, canary: Server, use_policy: Callable[..., Names]
) -> None:
    chain = {f"/{at}": redirect(f"/{at + 1}") for at in range(hops - 1)}
    chain[f"/{hops - 1}"] = redirect(f"http://127.0.0.1:{canary.port}/secret")
    with served(PUBLIC, chain) as public:
        use_policy({}, canary.port, public.port)
        assert refused(get, public.url("/0"))
        assert public.hits == hops
    assert canary.hits == 0


@both_doors
def test_an_allowed_address_works(
    get: Get, use_policy: Callable[..., Names], connections: Connections
) -> None:
    """The control: the same doors, servers and names."""
    with served(PUBLIC, {"/": redirect("/there"), "/there": reply(b"hello")}) as public:
        use_policy({"public.example": [[PUBLIC]]}, public.port)
        answer = get(public.url(host="public.example"))
        assert (answer.status, answer.body, answer.url) == (
            200,
            b"hello",
            public.url("/there", "public.example"),
        )
        assert connections.to == [(PUBLIC, public.port)] * 2
        assert f"Host: public.example:{public.port}" in public.heads[0]


@both_doors
def test_without_the_check_the_canary_is_hit(
    get: Get, canary: Server, use_policy: Callable[..., Names]
) -> None:
    """The proof of bite: only the check of the address is off, and the same spellings arrive."""
    use_policy(names_inside(), canary.port, is_allowed=lambda address: True)
    arrived = [
        "127.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "LOCALHOST",
        "intranet",
    ]
    for spelling in arrived:
        assert get(url_of(spelling, canary.port)).body == b"the key to everything"
    assert canary.hits == len(arrived)


@both_doors
def test_other_ports_are_refused(get: Get, canary: Server, use_policy: Callable[..., Names]) -> None:
    use_policy({"public.example": [[PUBLIC]]}, 80, 443)
    assert refused(get, f"http://public.example:{canary.port}/")
    assert [
        port for port in (0, 22, 25, 6379, 8080, 65536, 99999) if not refused(get, f"http://{PUBLIC}:{port}/")
    ] == []


def test_the_product_reaches_ports_80_and_443_of_public_addresses_only(db: None) -> None:
    here = OrganizationFactory().pk
    with tenancy.use(here):
        policy = fetching.policy_for(here, "test")
    assert policy.ports == {80, 443}
    assert not policy.is_allowed(ip_address(PUBLIC))


@both_doors
def test_addresses_cannot_smuggle_headers(get: Get, use_policy: Callable[..., Names]) -> None:
    smuggled = "X-Smuggled"
    with served(PUBLIC, {}) as public:
        use_policy({}, public.port)
        for text in (
            "\r\nX-Smuggled: 1",
            "\nX-Smuggled: 1",
            "\rX-Smuggled: 1",
            " HTTP/1.1\r\nX-Smuggled: 1",
            "\u0085X",
        ):
            assert refused(get, public.url(f"/a{text}"))
        get(public.url(f"/a{quote(chr(13) + chr(10))}X-Smuggled:1"))  # stays encoded
        assert public.hits == 1
        assert smuggled not in "".join(head.partition("\r\n")[2] for head in public.heads)

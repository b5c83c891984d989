"""Places inside that the operator named: exactly those are reached, for sources of documents alone."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest

from apps.core.conf.groups import OutboundSettings
from apps.core.conf.loading import InvalidSettings, load
from apps.core.outbound import fetching, operator
from apps.core.outbound.addresses import is_private
from apps.core.outbound.errors import AddressNotAllowed, TooManyRedirects
from apps.core.outbound.exchange import Connect, LookUp, Secure, Send, Talk, Want, Way, exchange
from apps.core.outbound.lines import place
from apps.core.outbound.places import read_places
from apps.core.outbound.resolving import NameUnknown
from apps.core.outbound.rules import HostRules
from apps.core.outbound.types import Fetch, Policy, Proxy
from apps.core.services.outbound_hosts import set_host
from tests.core.outbound_servers import CANARY, Names, redirect, reply, served

VARIABLE = "CHATSYSTEM_SOURCE_ADDRESSES"
INSIDE, OUTSIDE = "10.0.0.7", "93.184.216.34"
PLACES = (
    "https://minio.intern:9000, http://wiki.intern,https://git.intern, imaps://mail.intern, imap://post.intern,"
    "https://10.0.0.5:8443,https://[fd12::5],https://bücher.intern"
)


@dataclass
class Net:
    """What names mean, and what is answered at each address and port; notes every connection."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    connected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        inside = {name: [[INSIDE]] for name in ("minio.intern", "wiki.intern", "git.intern", "mail.intern")}
        inside |= {"post.intern": [[INSIDE]], "xn--bcher-kva.intern": [[INSIDE]], "other.intern": [[INSIDE]]}
        self._look_up = Names(inside | {"docs.example": [[OUTSIDE]]} | self.names)

    def follow(self, talk: Talk) -> Any:
        """Do what a talk asks for; return what it returns."""
        try:
            want = next(talk)
            while True:
                try:
                    said = self._do(want)
                except NameUnknown as error:
                    want = talk.throw(error)
                else:
                    want = talk.send(said)
        except StopIteration as end:
            return end.value

    def get(self, url: str, **policy: Any) -> bytes:
        """Fetch an address by the rules of a source."""
        given = Policy(**({"places": read_places(PLACES)} | policy))
        body: bytes = self.follow(exchange(Fetch(url=url, purpose="document_source"), given)).body
        return body

    def _do(self, want: Want) -> Any:
        if isinstance(want, LookUp):
            return self._look_up(want.name, want.port)
        if isinstance(want, Connect):
            self.connected.append(f"{want.host} {want.port}")
            return want.host
        if isinstance(want, Secure | Send):
            return None
        return self.answers.get(self.connected[-1], reply(b"words"))


def refused(net: Net, url: str, **policy: Any) -> bool:
    before = len(net.connected)
    try:
        net.get(url, **policy)
    except AddressNotAllowed:
        return len(net.connected) == before
    return False


# What is reached


@pytest.mark.parametrize(
    ("url", "connected"),
    [
        ("https://minio.intern:9000/bucket?list-type=2", f"{INSIDE} 9000"),
        ("HTTPS://MinIO.Intern.:9000/", f"{INSIDE} 9000"),
        ("http://wiki.intern/", f"{INSIDE} 80"),
        ("http://wiki.intern:80/page", f"{INSIDE} 80"),
        ("https://git.intern/team/handbook", f"{INSIDE} 443"),
        ("https://BÜCHER.intern/", f"{INSIDE} 443"),
        ("https://xn--bcher-kva.intern/", f"{INSIDE} 443"),
        ("https://10.0.0.5:8443/", "10.0.0.5 8443"),
        ("https://[fd12::5]/", "fd12::5 443"),
        ("https://[FD12:0:0::5]:443/", "fd12::5 443"),
        ("https://docs.example/", f"{OUTSIDE} 443"),
    ],
)
def test_what_the_operator_named_is_reached(url: str, connected: str) -> None:
    net = Net()
    assert net.get(url) == b"words"
    assert net.connected == [connected]


@pytest.mark.parametrize(
    "url",
    [
        "http://minio.intern:9000/", "https://minio.intern/", "https://minio.intern:9001/", "http://minio.intern/",
        "https://wiki.intern/", "http://wiki.intern:8080/", "http://git.intern/", "http://git.intern:443/",
        "https://git.intern:8443/", "https://a.git.intern/", "https://intern/", "https://git.intern.evil.example/",
        "https://evil.example.git.intern/", "https://git.intern@docs.example:9000/", "https://user@git.intern/",
        "https://user:secret@minio.intern:9000/", "https://other.intern/", "https://other.intern:9000/",
        f"https://{INSIDE}/", f"https://{INSIDE}:9000/", "https://10.0.0.5/", "https://10.0.0.5:9000/",
        "http://10.0.0.5:8443/", "https://10.0.0.6:8443/", "https://10.5:8443/", "https://167772165:8443/",
        "https://0xa.0.0.5:8443/", "https://010.0.0.5:8443/", "https://[::ffff:10.0.0.5]:8443/",
        "https://[64:ff9b::a00:5]:8443/", "https://[fd12::6]/", "https://[fd12::5%25eth0]/", "https://fd12::5/",
        "https://mail.intern:993/", "https://mail.intern/", "http://post.intern:143/", "imaps://mail.intern/",
        "https://git.intern\\@docs.example:9000/", "https://git.intern%2eevil.example/", "https://ｇit.intern:9000/",
        "https://127.0.0.1:9000/", "https://169.254.169.254/", "https://docs.example:9000/", "ftp://git.intern/",
    ],
)  # fmt: skip
def test_nothing_beside_it_is_reached(url: str) -> None:
    names = {"a.git.intern": [[INSIDE]], "intern": [[INSIDE]], "git.intern.evil.example": [[INSIDE]]}
    assert refused(Net(names | {"evil.example.git.intern": [[INSIDE]]}), url)


def test_another_name_of_the_same_address_stays_outside() -> None:
    net = Net({"evil.example": [[INSIDE]]})
    assert refused(net, "https://evil.example/")
    assert refused(net, "https://other.intern/")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"], ["127.0.0.53"], ["::1"], ["0.0.0.0"], ["169.254.169.254"], ["168.63.129.16"], ["fd00:ec2::254"],
        ["fd20:ce::254"], ["100.100.100.200"], ["169.254.1.1"], ["fe80::1"], ["224.0.0.1"], ["192.0.0.192"],
        ["::ffff:10.0.0.7"], ["64:ff9b::a00:7"], ["2002:a00:7::1"], ["198.18.0.1"], ["240.0.0.1"], ["10.0.0.7%eth0"],
        [INSIDE, "127.0.0.1"], ["127.0.0.1", INSIDE], [INSIDE, "169.254.169.254"], ["fd12::5", "fd00:ec2::254"], [],
    ],
)  # fmt: skip
def test_a_named_host_leads_neither_to_this_machine_nor_to_its_keys(found: list[str]) -> None:
    assert refused(Net({"git.intern": [found]}), "https://git.intern/")


def test_any_address_of_the_company_may_be_the_hosts() -> None:
    for address in (INSIDE, "192.168.1.4", "172.20.0.3", "100.64.0.9", "fd12:3456::7", OUTSIDE):
        net = Net({"git.intern": [[address, INSIDE]]})
        net.get("https://git.intern/")
        assert net.connected == [f"{address} 443"]


def test_another_address_is_not_believed_for_the_one_that_was_checked() -> None:
    talk = Way(place("mail.intern", 993, is_encrypted=True), Policy(places=read_places(PLACES)), _soon()).go()
    assert isinstance(next(talk), LookUp)
    assert talk.send([INSIDE]) == Connect(INSIDE, 993, pytest.approx(4, abs=1))
    with pytest.raises(AddressNotAllowed):
        talk.send(CANARY)


def test_a_name_that_turns_into_another_address_is_refused_at_the_next_hop() -> None:
    turns = [[INSIDE], ["169.254.169.254"]]
    net = Net({"git.intern": turns}, {f"{INSIDE} 443": redirect("https://git.intern/next")})
    with pytest.raises(AddressNotAllowed):
        net.get("https://git.intern/")
    assert net.connected == [f"{INSIDE} 443"]


# Redirects


def test_from_a_named_place_a_redirect_leads_to_another_one() -> None:
    net = Net(answers={f"{INSIDE} 443": redirect("https://minio.intern:9000/there")})
    assert net.get("https://git.intern/") == b"words"
    assert net.connected == [f"{INSIDE} 443", f"{INSIDE} 9000"]


def test_from_a_named_place_a_redirect_leads_outside_but_not_back() -> None:
    net = Net(answers={f"{INSIDE} 443": redirect("https://docs.example/")})
    assert net.get("https://git.intern/") == b"words"
    back = Net(answers=net.answers | {f"{OUTSIDE} 443": redirect("https://minio.intern:9000/")})
    with pytest.raises(AddressNotAllowed):
        back.get("https://git.intern/")
    assert back.connected == [f"{INSIDE} 443", f"{OUTSIDE} 443"]


@pytest.mark.parametrize(
    "location",
    [
        "https://other.intern/", "https://10.0.0.6:8443/", "https://minio.intern/", "http://wiki.intern/",
        "http://git.intern/", "https://169.254.169.254/", "https://127.0.0.1/", "//other.intern/", "https://[::1]/",
        "https://user@minio.intern:9000/", "imaps://mail.intern/",
    ],
)  # fmt: skip
def test_from_a_named_place_no_redirect_leads_to_what_is_not(location: str) -> None:
    net = Net(answers={f"{INSIDE} 443": redirect(location)})
    with pytest.raises(AddressNotAllowed):
        net.get("https://git.intern/")
    assert net.connected == [f"{INSIDE} 443"]


@pytest.mark.parametrize(
    "location", ["https://git.intern/", "https://minio.intern:9000/", "https://10.0.0.5:8443/"]
)
def test_a_server_outside_leads_to_no_named_place(location: str) -> None:
    net = Net(answers={f"{OUTSIDE} 443": redirect(location)})
    with pytest.raises(AddressNotAllowed):
        net.get("https://docs.example/")
    assert net.connected == [f"{OUTSIDE} 443"]


def test_redirects_are_counted_inside_as_well() -> None:
    net = Net(answers={f"{INSIDE} 443": redirect("/again")})
    with pytest.raises(TooManyRedirects):
        net.get("https://git.intern/")
    assert len(net.connected) == 4


# The organization, the proxy and mail


def test_the_hosts_of_the_organization_still_hold() -> None:
    net = Net()
    assert refused(net, "https://git.intern/", rules=HostRules(denied=frozenset({"*.intern"})))
    assert refused(net, "https://git.intern/", rules=HostRules(allowed=frozenset({"minio.intern"})))
    assert net.get("https://git.intern/", rules=HostRules(allowed=frozenset({"*.intern"}))) == b"words"


def test_a_place_inside_is_reached_directly_and_one_outside_through_the_proxy() -> None:
    net = Net()
    proxy = Proxy(host="proxy.intern", port=3128)
    net.get("https://git.intern/", proxy=proxy)
    assert net.connected == [f"{INSIDE} 443"]
    with closing(
        Way(place("docs.example", 993, is_encrypted=True), Policy(proxy=proxy), _soon()).go()
    ) as talk:
        next(talk)
        assert talk.send([OUTSIDE]) == Connect("proxy.intern", 3128, pytest.approx(4, abs=1))


@pytest.mark.parametrize(
    ("host", "port", "is_encrypted"), [("mail.intern", 993, True), ("post.intern", 143, False)]
)
def test_a_mail_server_is_reached_as_it_was_named(host: str, port: int, is_encrypted: bool) -> None:
    net = Net()
    net.follow(
        Way(place(host, port, is_encrypted=is_encrypted), Policy(places=read_places(PLACES)), _soon()).go()
    )
    assert net.connected == [f"{INSIDE} {port}"]


@pytest.mark.parametrize(
    ("host", "port", "is_encrypted"),
    [
        ("mail.intern", 993, False), ("mail.intern", 143, False), ("mail.intern", 143, True),
        ("post.intern", 143, True), ("post.intern", 993, True), ("git.intern", 443, True), ("git.intern", 993, True),
        ("other.intern", 993, True), (INSIDE, 993, True), ("wiki.intern", 80, False),
    ],
)  # fmt: skip
def test_a_mail_server_is_reached_in_no_other_way(host: str, port: int, is_encrypted: bool) -> None:
    net = Net()
    talk = Way(place(host, port, is_encrypted=is_encrypted), Policy(places=read_places(PLACES)), _soon()).go()
    with pytest.raises(AddressNotAllowed):
        net.follow(talk)
    assert net.connected == []


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a/b",
        "a?",
        "a#",
        "a:993",
        "a:993@b",
        "user@a",
        "[a",
        "::g",
        "[::1]:993",
        "a b",
        "a\r\nb",
        "0x7f.1",
    ],
)
def test_what_is_more_or_less_than_a_host_is_no_mail_server(host: str) -> None:
    with pytest.raises(AddressNotAllowed):
        place(host, 993, is_encrypted=True)


def test_a_literal_is_a_host_with_and_without_brackets() -> None:
    assert [place(host, 993, is_encrypted=True).host for host in ("fd12::5", "[FD12::5]")] == ["fd12::5"] * 2


def _soon() -> float:
    return time.monotonic() + 10


# The setting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("git.intern", "git.intern is no scheme"),
        ("https://", "is no scheme"),
        ("ftp://git.intern", "is no scheme"),
        ("https://*.intern", "is no scheme"),
        ("https://git.intern:0", "is no scheme"),
        ("https://git.intern:99999", "is no scheme"),
        ("https://git intern", "is no scheme"),
        ("https://git.intern;https://minio.intern", "is no scheme"),
        ("https://10.5", "is no scheme"),
        ("https://git.intern/team", "more than scheme, host and port"),
        ("https://git.intern/?a=b", "more than scheme, host and port"),
        ("https://git.intern#a", "more than scheme, host and port"),
        ("https://minio.intern,http://localhost:9000", "name this machine by its address"),
        ("http://app.localhost", "name this machine by its address"),
        ("http://169.254.169.254", "no documents are at this address"),
        ("http://168.63.129.16", "no documents are at this address"),
        ("http://[fd00:ec2::254]", "no documents are at this address"),
        ("http://100.100.100.200", "no documents are at this address"),
        ("http://0.0.0.0:9000", "no documents are at this address"),
        ("http://[fe80::1]", "no documents are at this address"),
        ("http://[::ffff:10.0.0.5]", "no documents are at this address"),
        ("http://[::ffff:127.0.0.1]", "no documents are at this address"),
    ],
)
def test_what_cannot_be_meant_is_said_at_the_start(text: str, said: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        load({VARIABLE: text})
    assert VARIABLE in str(refusal.value)
    assert said in str(refusal.value)


def test_a_password_in_the_setting_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidSettings) as refusal:
        load({VARIABLE: "https://me:hush@git.intern"})
    assert "no user name and no password" in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_places_are_read_as_addresses_are() -> None:
    assert OutboundSettings(source_addresses=PLACES).source_addresses == PLACES
    assert read_places("HTTPS://Git.Intern./, https://git.intern:443,,imaps://mail.intern,imap://mail.intern") == {
        ("https", "git.intern", 443), ("imaps", "mail.intern", 993), ("imap", "mail.intern", 143),
    }  # fmt: skip
    assert read_places("http://127.0.0.1:9000,https://[FD12::5]") == {
        ("http", "127.0.0.1", 9000), ("https", "fd12::5", 443),
    }  # fmt: skip
    assert read_places(" , ") == read_places("") == frozenset()


def test_private_is_what_somebodys_network_has() -> None:
    assert [is_private(ip_address(text)) for text in (INSIDE, "fd12::5", OUTSIDE, CANARY, "fe80::1")] == [
        True, True, False, False, False,
    ]  # fmt: skip


# Who reaches them


def name(settings: Any, text: str) -> None:
    group = settings.CONFIGURATION.outbound.model_copy(update={"source_addresses": text})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)


@pytest.mark.parametrize("purpose", ["link_preview", "push", "history_import", "webhook", "test", ""])
def test_only_sources_of_documents_reach_them(organization_id: UUID, settings: Any, purpose: str) -> None:
    with served(CANARY, {"/": reply()}) as server:
        name(settings, server.url().rstrip("/"))
        assert fetching.fetch(Fetch(url=server.url(), purpose=operator.DOCUMENT_SOURCE)).body == b"hello"
        with pytest.raises(AddressNotAllowed):
            fetching.fetch(Fetch(url=server.url(), purpose=purpose))
        assert server.hits == 1


def test_a_place_that_is_taken_back_is_not_reached_any_more(organization_id: UUID, settings: Any) -> None:
    with served(CANARY, {"/": reply()}) as server:
        wanted = Fetch(url=server.url(), purpose=operator.DOCUMENT_SOURCE)
        name(settings, server.url().rstrip("/"))
        fetching.fetch(wanted)
        name(settings, "")
        with pytest.raises(AddressNotAllowed):
            fetching.fetch(wanted)
        assert server.hits == 1


def test_an_organization_denies_itself_what_the_operator_named(organization_id: UUID, settings: Any) -> None:
    with served(CANARY, {"/": reply()}) as server:
        name(settings, server.url().rstrip("/"))
        actor = UUID(int=5)
        set_host(organization_id=organization_id, actor_id=actor, pattern=CANARY, is_allowed=False)
        with pytest.raises(AddressNotAllowed):
            fetching.fetch(Fetch(url=server.url(), purpose=operator.DOCUMENT_SOURCE))
        assert server.hits == 0

"""Web addresses as a source, over a real server: what is asked, what comes of each answer, where links lead."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.accounts.models import Member
from apps.core.outbound import exchange as exchanges
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.core.services import breaker as breakers
from apps.documents.connectors import url
from apps.documents.connectors.links import links_of
from apps.documents.errors import SourceSettingsInvalid
from apps.documents.models import Document, Source, SourceItem
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from tests.core.outbound_servers import (
    CANARY,
    PUBLIC,
    Names,
    Play,
    Server,
    public_here,
    redirect,
    reply,
    served,
)
from tests.documents.sources import Conformance, Place, synced, texts
from tests.factories.accounts import principal_of

HOST = "docs.example"
PAGE = "text/html; charset=utf-8"
TYPES = {
    ".txt": "text/plain",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass
class Site:
    """A web site that a test changes."""

    server: Server
    answers: dict[str, bytes | Play]
    kind: SourceKind = SourceKind.URL
    secret: str = ""
    names: tuple[str, ...] = ("a.txt", "b.txt", "a.pdf", "a.docx")
    written: int = 0
    quiet: list[str] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return self.server.url(path, HOST)

    def settings(self) -> dict[str, Any]:
        return {"addresses": [self.url(f"/{name}") for name in self.names]}

    def put(self, name: str, data: bytes) -> None:
        self.written += 1
        tag = f'"{self.written}"'
        kind = TYPES[f".{name.rpartition('.')[2]}"]
        whole = reply(data, f"ETag: {tag}", kind=kind)

        def play(line: socket.socket) -> None:
            known = f"If-None-Match: {tag}" in self.server.heads[-1]
            line.sendall(reply(b"", status="304 Not Modified", length=False) if known else whole)

        self.answers[f"/{name}"] = play

    def take(self, name: str) -> None:
        del self.answers[f"/{name}"]

    def spoil(self, name: str) -> None:
        self.answers[f"/{name}"] = reply(b"", status="500 Oops")

    def asked(self, name: str) -> list[str]:
        return [head for head in self.server.heads if head.startswith(f"GET /{name} ")]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    breakers.forget()
    answers: dict[str, bytes | Play] = {}
    with served(PUBLIC, answers) as server:
        names = Names({HOST: [[PUBLIC]], "inside.example": [[CANARY]], "other.example": [[PUBLIC]]})
        policy = Policy(ports=frozenset({server.port}), is_allowed=public_here, look_up=names)
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        yield Site(server, answers)


class TestAddresses(Conformance):
    @pytest.fixture
    def place(self, site: Site) -> Place:
        return site


def one(site: Site, path: str = "/a.txt", **more: Any) -> dict[str, Any]:
    return {"addresses": [site.url(path)], **more}


def test_what_did_not_change_is_not_even_sent(administrator: Member, site: Site) -> None:
    site.put("a.txt", b"First words.")
    source = synced(administrator, site, settings=one(site))
    source.again()
    first, second = site.asked("a.txt")
    assert "If-None-Match" not in first
    assert 'If-None-Match: "1"' in second


def test_a_server_without_names_for_its_contents_is_compared(administrator: Member, site: Site) -> None:
    site.answers["/a.txt"] = reply(b"First words.")
    source = synced(administrator, site, settings=one(site))
    before = Document.objects.get().pk
    source.again()
    assert Document.objects.get().pk == before
    site.answers["/a.txt"] = reply(b"Other words.")
    source.again()
    assert texts() == ["Other words."]


def test_the_time_of_the_last_change_is_asked_with(administrator: Member, site: Site) -> None:
    when = "Mon, 30 Nov 2026 00:00:00 GMT"
    site.answers["/a.txt"] = reply(b"First words.", f"Last-Modified: {when}")
    synced(administrator, site, settings=one(site)).again()
    assert f"If-Modified-Since: {when}" in site.asked("a.txt")[-1]


def test_a_redirect_is_followed_and_the_address_stays(administrator: Member, site: Site) -> None:
    site.put("b.txt", b"Moved words.")
    site.answers["/a.txt"] = redirect("/b.txt")
    source = synced(administrator, site, settings=one(site))
    assert texts() == ["Moved words."]
    assert source.item("a.txt").document_id == Document.objects.get().pk
    assert Document.objects.get().name == "b.txt"


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_an_address_that_ended_takes_its_document_along(
    administrator: Member, site: Site, status: str
) -> None:
    site.put("a.txt", b"First words.")
    source = synced(administrator, site, settings=one(site))
    site.answers["/a.txt"] = reply(b"", status=status)
    row = source.again()
    assert (texts(), row.state) == ([], "ready")
    assert source.item("a.txt").error_code == "documents.item_gone"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply(b"", status="500 Oops"), "documents.item_unavailable"),
        (reply(b"", status="429 Slow down"), "documents.item_unavailable"),
        (reply(b"", status="403 No"), "documents.item_refused"),
        (reply(b""), "documents.empty"),
        (reply(b"x", kind="image/png"), "documents.unsupported_type"),
        (reply(b"x", kind="application/octet-stream"), "documents.unsupported_type"),
        (reply(b"x", "Content-Length: 99999999", length=False), "documents.too_large"),
        (redirect("http://inside.example/"), "documents.item_address"),
        (redirect("/a"), "documents.item_unusable"),
        (b"no http at all\r\n\r\n", "documents.item_unusable"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_noted_and_what_was_read_stays(
    administrator: Member, site: Site, answer: bytes, code: str
) -> None:
    site.answers["/a"] = reply(b"First words.")
    source = synced(administrator, site, settings=one(site, "/a"))
    site.answers["/a"] = answer
    row = source.again()
    assert (texts(), row.state) == (["First words."], "ready")
    assert source.item("/a").error_code == code
    site.answers["/a"] = reply(b"First words.")
    source.again()
    assert source.item("/a").error_code == ""
    assert Document.objects.count() == 1


def test_a_server_that_says_nothing_is_given_up(
    administrator: Member, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "LONGEST_SECONDS", 0.2)
    site.answers["/a.txt"] = lambda line: line.recv(1) and None
    source = synced(administrator, site, settings=one(site))
    assert source.item("a.txt").error_code == "documents.item_unavailable"
    assert source.row.state == "ready"


def test_more_than_the_limit_is_not_kept(
    administrator: Member, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url, "LARGEST_BYTES", 1000)
    site.answers["/a.txt"] = reply(b"x" * 1001)
    source = synced(administrator, site, settings=one(site))
    assert source.item("a.txt").error_code == "documents.too_large"
    assert not Document.objects.exists()


def test_a_name_that_leads_inside_is_never_asked(administrator: Member, site: Site) -> None:
    with served(CANARY, {"/": reply(b"secret")}, port=site.server.port) as canary:
        source = synced(administrator, site, settings={"addresses": [canary.url("/", "inside.example")]})
    assert canary.hits == 0
    assert SourceItem.objects.get(source_id=source.id).error_code == "documents.item_address"


@pytest.mark.parametrize(
    "addresses",
    [
        [], ["  "], ["ftp://example.com/"], ["http://127.0.0.1/"], ["http://[::1]/"], ["http://10.0.0.1/"],
        ["https://user:secret@example.com/"], ["example.com"], ["https://example.com/", "javascript:alert(1)"],
        [f"https://example.com/{n}" for n in range(201)],
    ],
)  # fmt: skip
def test_only_public_addresses_are_taken(administrator: Member, addresses: list[str]) -> None:
    wanted = NewSource(kind=SourceKind.URL, name="Site", settings={"addresses": addresses})
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["addresses"]
    assert not Source.objects.exists()


def test_links_are_followed_from_one_address_only(administrator: Member) -> None:
    settings = {"addresses": ["https://example.com/", "https://example.org/"], "with_links": True}
    with pytest.raises(SourceSettingsInvalid):
        add_source(
            principal=principal_of(administrator),
            wanted=NewSource(kind=SourceKind.URL, name="Site", settings=settings),
        )


# Links


def linking(*links: str, words: str = "Start.") -> bytes:
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    return reply(f"<p>{words}</p><nav>{anchors}</nav>".encode(), kind=PAGE)


def test_pages_that_are_linked_come_and_go_with_their_links(administrator: Member, site: Site) -> None:
    site.put("a.txt", b"First words.")
    site.put("b.txt", b"Second words.")
    site.answers["/"] = linking("/a.txt", "b.txt")
    source = synced(administrator, site, settings=one(site, "/", with_links=True))
    assert texts() == ["First words.", "Second words.", "Start."]
    site.answers["/"] = linking("/b.txt")
    source.again()
    assert texts() == ["Second words.", "Start."]


def test_links_are_followed_one_level_deep(administrator: Member, site: Site) -> None:
    site.answers["/"] = linking("/next")
    site.answers["/next"] = linking("/deeper", words="Next.")
    site.answers["/deeper"] = reply(b"Deeper.")
    synced(administrator, site, settings=one(site, "/", with_links=True))
    assert texts() == ["Next.", "Start."]
    assert site.asked("deeper") == []


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops"])
def test_a_first_page_that_does_not_answer_takes_nothing_along(
    administrator: Member, site: Site, status: str
) -> None:
    site.put("a.txt", b"First words.")
    site.answers["/"] = linking("/a.txt")
    source = synced(administrator, site, settings=one(site, "/", with_links=True))
    site.answers["/"] = reply(b"", status=status)
    assert source.again().state == "failed"
    assert texts() == ["First words.", "Start."]


def test_at_most_two_hundred_pages_are_read(
    administrator: Member, site: Site, read_links: Callable[..., Any]
) -> None:
    site.answers["/"] = linking(*(f"/{number}" for number in range(250)))
    assert len(list(read_links(site))) == url.MOST_ADDRESSES


@pytest.fixture
def read_links(administrator: Member) -> Callable[[Site], Any]:
    """What a site with links lists; nothing is read."""
    return lambda site: url.UrlConnector([site.url()], with_links=True).list()


def test_only_links_of_the_same_host_that_may_be_documents_count() -> None:
    page = """<base href="/docs/"><a href="one">1</a><a href="one#part">again</a><a href="/two.pdf?v=1">2</a>
    <a href="three.png">picture</a><a href="four.zip">archive</a><a href="https://other.example/">away</a>
    <a href="http://docs.example/">plain</a><a href="mailto:x@docs.example">mail</a><a href="//[">odd</a>
    <a href="five" rel="noopener nofollow">no</a><a>none</a><a href="six.php">6</a>"""
    assert list(links_of(page, address="https://docs.example/start")) == [
        "https://docs.example/docs/one",
        "https://docs.example/two.pdf?v=1",
        "https://docs.example/docs/six.php",
    ]

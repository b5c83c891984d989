"""Servers inside the company as sources: read by the rules of the product where the operator named them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from django.conf import LazySettings

from apps.accounts.models import Member
from apps.core.services import breaker as breakers
from apps.documents.connectors.imap import mail_ports
from apps.documents.errors import SourceSettingsInvalid, sentence
from apps.documents.models import Source, SourceItem
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from tests.core.certificates import Authority
from tests.core.outbound_servers import CANARY, PUBLIC, Play, redirect, reply, served
from tests.documents.imap_servers import Post, mail, posted
from tests.documents.sources import Shelf, synced, texts
from tests.factories.accounts import principal_of

Name = Callable[[str], None]


@pytest.fixture
def name(settings: LazySettings) -> Name:
    """Let the operator name places."""
    breakers.forget()

    def do(places: str) -> None:
        group = settings.CONFIGURATION.outbound.model_copy(update={"source_addresses": places})
        settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)

    return do


def addresses(*urls: str) -> dict[str, Any]:
    return {"kind": SourceKind.URL, "settings": {"addresses": list(urls)}}


def read(member: Member, wanted: dict[str, Any], shelf: Shelf) -> Source:
    """Add a source and read all of it."""
    shelf.kind = wanted["kind"]
    return synced(member, shelf, settings=wanted["settings"], secret=wanted.get("secret", "")).row


# Over HTTP


def test_a_named_web_server_is_read(administrator: Member, shelf: Shelf, name: Name) -> None:
    with served(CANARY, {"/a.txt": reply(b"First words.")}) as server:
        name(server.url().rstrip("/"))
        source = read(administrator, addresses(server.url("/a.txt")), shelf)
        assert (source.state, texts(), server.hits) == ("ready", ["First words."], 1)


def test_it_leads_to_no_other_place_inside(administrator: Member, shelf: Shelf, name: Name) -> None:
    answers: dict[str, bytes | Play] = {}
    with served(CANARY, answers) as server, served(CANARY, {"/": reply(b"the key")}) as canary:
        answers["/a.txt"] = redirect(canary.url())
        name(server.url().rstrip("/"))
        read(administrator, addresses(server.url("/a.txt")), shelf)
        assert SourceItem.objects.get().error_code == "documents.item_address"
        assert (server.hits, canary.hits, texts()) == (1, 0, [])


def test_what_the_operator_does_not_name_any_more_is_not_read(
    administrator: Member, shelf: Shelf, name: Name
) -> None:
    with served(CANARY, {"/a.txt": reply(b"First words.")}) as server:
        name(server.url().rstrip("/"))
        shelf.kind = SourceKind.URL
        source = synced(administrator, shelf, settings={"addresses": [server.url("/a.txt")]}, secret="")
        name("")
        source.again()
        assert source.item("a.txt").error_code == "documents.item_address"
        assert (server.hits, texts()) == (1, ["First words."])
    assert "Your operator can allow" in sentence("documents.item_address")


# Mail


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A mail server with a certificate of the company's own authority, which `SSL_CERT_FILE` names."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context: ssl.SSLContext = authority.server_context(PUBLIC)
    with ExitStack() as stack:
        yield lambda security: stack.enter_context(posted(Post(security=security), context))


@pytest.mark.parametrize(("security", "scheme"), [("tls", "imaps"), ("starttls", "imap")])
def test_a_named_mail_server_is_read(
    administrator: Member, name: Name, serve: Callable[[str], Post], security: str, scheme: str
) -> None:
    post = serve(security)
    post.deliver(mail("First words."))
    name(f"{scheme}://{PUBLIC}:{post.port}")
    source = synced(administrator, post, settings=post.settings(host=PUBLIC))
    assert (source.row.state, source.row.error_code) == ("ready", "")
    assert "First words." in " ".join(texts())


def test_a_mail_server_named_with_tls_is_not_spoken_to_without(
    administrator: Member, name: Name, serve: Callable[[str], Post]
) -> None:
    post = serve("starttls")
    name(f"imaps://{PUBLIC}:{post.port}")
    with pytest.raises(SourceSettingsInvalid):
        synced(administrator, post, settings=post.settings(host=PUBLIC))
    assert post.connections == 0


def test_its_port_can_be_chosen(name: Name) -> None:
    assert mail_ports() == [993, 143]
    name("imaps://mail.intern:1993,imap://post.intern,https://git.intern:8443")
    assert mail_ports() == [993, 143, 1993]


# What is said of what nobody named

PRIVATE = [
    ((SourceKind.URL, {"addresses": ["http://10.0.0.5:8080/a"]}, ""), "addresses", "http://10.0.0.5:8080"),
    ((SourceKind.GIT, {"url": "https://10.0.0.5/team/book"}, ""), "url", "https://10.0.0.5"),
    ((SourceKind.S3, {"endpoint": "https://[fd12::5]:9000", "bucket": "book", "path_style": True}, ""), "endpoint",
     "https://[fd12::5]:9000"),
    ((SourceKind.IMAP, {"host": "192.168.0.4", "username": "info"}, "word"), "host", "imaps://192.168.0.4"),
    ((SourceKind.IMAP, {"host": "127.0.0.1", "username": "info", "security": "starttls"}, "word"), "host",
     "imap://127.0.0.1"),
]  # fmt: skip
CODES = {
    "addresses": "documents.source_addresses_invalid", "url": "documents.source_url_invalid",
    "endpoint": "documents.source_endpoint_invalid", "host": "documents.source_host_invalid",
    "path_style": "documents.source_path_style_invalid",
}  # fmt: skip


def add(
    member: Member, kind: SourceKind, settings: dict[str, Any], secret: str = "", *, name: str = "Inside"
) -> None:
    wanted = NewSource(kind=kind, name=name, settings=settings, secret=secret)
    add_source(principal=principal_of(member), wanted=wanted)


@pytest.mark.parametrize(("wanted", "field", "place"), PRIVATE)
def test_a_private_address_says_whom_to_ask(
    administrator: Member, name: Name, wanted: tuple[SourceKind, dict[str, Any], str], field: str, place: str
) -> None:
    name("https://git.intern")
    with pytest.raises(SourceSettingsInvalid) as refusal:
        add(administrator, *wanted)
    (error,) = refusal.value.errors
    assert (error.field, error.code) == (field, CODES[field])
    assert error.detail == (
        f"{place} is inside a private network. Ask your operator to name it in CHATSYSTEM_SOURCE_ADDRESSES."
    )
    assert not Source.objects.exists()
    name(place)
    add(administrator, *wanted)
    assert Source.objects.count() == 1


@pytest.mark.parametrize("address", ["http://169.254.169.254/", "http://0.0.0.0/", "http://224.0.0.1/"])
def test_of_what_is_never_reached_nobody_is_asked(administrator: Member, name: Name, address: str) -> None:
    with pytest.raises(SourceSettingsInvalid) as refusal:
        add(administrator, SourceKind.URL, {"addresses": [address]})
    assert "operator" not in refusal.value.errors[0].detail


def test_a_bucket_before_the_name_of_a_named_server_says_what_to_choose(
    administrator: Member, name: Name
) -> None:
    name("https://minio.intern:9000")
    settings = {"endpoint": "https://minio.intern:9000", "bucket": "handbook"}
    with pytest.raises(SourceSettingsInvalid) as refusal:
        add(administrator, SourceKind.S3, settings)
    (error,) = refusal.value.errors
    assert (error.field, error.code) == ("path_style", CODES["path_style"])
    add(administrator, SourceKind.S3, settings | {"path_style": True})
    name("https://minio.intern:9000,https://handbook.minio.intern:9000")
    add(administrator, SourceKind.S3, settings, name="Other")
    assert Source.objects.count() == 2


def test_a_password_goes_inside_over_https_only(administrator: Member, name: Name) -> None:
    name("http://minio.intern:9000")
    settings = {
        "endpoint": "http://minio.intern:9000", "bucket": "handbook", "path_style": True, "access_key": "reader",
    }  # fmt: skip
    with pytest.raises(SourceSettingsInvalid) as refusal:
        add(administrator, SourceKind.S3, settings, "word")
    assert refusal.value.errors[0].field == "secret"

"""What is sent and heard, and how much of it."""

from __future__ import annotations

import gzip
import zlib

import pytest

from apps.core.outbound.errors import (
    AddressNotAllowed,
    ContentTypeNotAllowed,
    FetchFailed,
    FetchTooLarge,
    TooManyRedirects,
)
from apps.core.outbound.types import LARGEST_BYTES
from tests.core.outbound.doors import Get, UsePolicy
from tests.core.outbound_servers import PUBLIC, chunked, endless, redirect, reply, served

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

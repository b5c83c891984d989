"""TLS, and the operator's proxy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from apps.core.outbound import operator
from apps.core.outbound.errors import AddressNotAllowed, FetchFailed, HostUnavailable
from apps.core.outbound.types import Proxy
from tests.core.certificates import Authority
from tests.core.outbound.doors import Get, UsePolicy
from tests.core.outbound_servers import CANARY, PUBLIC, Server, redirect, reply, served

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

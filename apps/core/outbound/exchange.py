"""The one policy core: what is looked up, checked, connected and said, as a generator without input and output.

It yields what it needs (`LookUp`, `Connect`, `Secure`, `Send`, `Receive`) and is sent the answers; a driver that fails
throws the error in, and hangs up before the next `Connect` and at the end. Every wait carries the seconds that are left
of the whole, so that a drip, an endless answer and a chain of redirects end alike.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import h11

from apps.core.outbound.addresses import Address, is_private, parse
from apps.core.outbound.bodies import Body
from apps.core.outbound.errors import (
    AddressNotAllowed,
    ContentTypeNotAllowed,
    FetchFailed,
    FetchTooLarge,
    HostUnavailable,
    TooManyRedirects,
)
from apps.core.outbound.resolving import NameUnknown
from apps.core.outbound.types import (
    LARGEST_BYTES,
    LONGEST_SECONDS,
    MOST_REDIRECTS,
    USER_AGENT,
    Fetch,
    Fetched,
    Policy,
)
from apps.core.outbound.urls import Target, read

RESOLVE_SECONDS: Final = 3.0
CONNECT_SECONDS: Final = 4.0
MOST_ADDRESSES: Final = 16
_TRIED_ADDRESSES: Final = 3
_HEAD_BYTES: Final = 64 * 1024
_PROXY_HEAD_BYTES: Final = 8 * 1024
_EXCERPT_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS: Final = frozenset(
    {
        "host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding", "te", "trailer",
        "upgrade", "expect", "cookie", "proxy-authorization", "proxy-connection", "keep-alive", "forwarded",
        "x-forwarded-for", "x-forwarded-host", "x-real-ip",
    }
)  # fmt: skip


@dataclass(frozen=True)
class LookUp:
    """Answered with the addresses of a name, as text."""

    name: str
    port: int
    seconds: float


@dataclass(frozen=True)
class Connect:
    """Answered with the address of the peer as the socket names it. `host` is an address, or the operator's proxy."""

    host: str
    port: int
    seconds: float


@dataclass(frozen=True)
class Secure:
    """Begin TLS for a name."""

    name: str
    context: ssl.SSLContext
    seconds: float


@dataclass(frozen=True)
class Send:
    """Send all of it."""

    data: bytes
    seconds: float


@dataclass(frozen=True)
class Receive:
    """Answered with some bytes, none at the end."""

    most: int
    seconds: float


Want = LookUp | Connect | Secure | Send | Receive
Exchange = Generator[Want, Any, Fetched]
Talk = Generator[Want, Any, Any]


def exchange(wanted: Fetch, policy: Policy) -> Exchange:
    """Return what the address answers; see `fetching.fetch` for the errors."""
    _require_plain(wanted)
    deadline = time.monotonic() + min(wanted.timeout_seconds, LONGEST_SECONDS)
    target = first = read(wanted.url)
    most = min(wanted.max_redirects, MOST_REDIRECTS)
    is_within = True
    for hop in range(most + 1):
        credentials = wanted.credentials if target.origin == first.origin else {}
        if credentials and target.scheme != "https":
            raise AddressNotAllowed
        way = Way(target, policy, deadline, may_be_named=is_within)
        is_within = way.is_named  # a server outside leads nobody to a place inside, named or not
        try:
            answer: Fetched = yield from _Hop(way, wanted, credentials).talk()
        except (TimeoutError, OSError) as error:  # certificates are told apart below: they are OSErrors too
            if isinstance(error, ssl.SSLCertVerificationError):
                raise FetchFailed from error
            raise HostUnavailable from error
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or location is None or most == 0:
            return answer
        if hop == most or wanted.method not in ("GET", "HEAD"):
            break
        target = _next(target, location)
    raise TooManyRedirects


def _next(target: Target, location: str) -> Target:
    leads_to = target.join(location)
    if target.scheme == "https" and leads_to.scheme == "http":
        raise AddressNotAllowed
    return leads_to


@dataclass(frozen=True)
class Way:
    """The way to one server: what every connection goes through before a word is said.

    Attributes:
        deadline: of everything, on the monotonic clock.
        may_be_named: whether it may lead to a place that the operator named.
    """

    target: Target
    policy: Policy
    deadline: float
    may_be_named: bool = True

    @property
    def is_named(self) -> bool:
        """Return whether it leads to a place that the operator named: scheme, host and port."""
        return self.may_be_named and self.target.origin in self.policy.places

    def go(self) -> Talk:
        """Connect to an address of the host that was checked.

        Raises:
            AddressNotAllowed, HostUnavailable; OSError.
        """
        self.policy.rules.require(self.target)
        if not self.is_named and self.target.port not in self.policy.ports_of(self.target.scheme):
            raise AddressNotAllowed
        addresses = yield from self._addresses()
        yield from self._connect(addresses)

    def secure(self) -> Talk:
        """Begin TLS; the certificate has to name the host."""
        yield Secure(self.target.host, self.policy.tls(), self.left())

    def left(self, most: float = LONGEST_SECONDS) -> float:
        """Return how long may be waited now.

        Raises:
            TimeoutError: no longer.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)

    def _addresses(self) -> Talk:
        """Return every address of the host; one that may not be reached condemns them all."""
        if self.target.literal is not None:
            texts: Sequence[str] = [str(self.target.literal)]
        else:
            try:
                texts = yield LookUp(self.target.host, self.target.port, self.left(RESOLVE_SECONDS))
            except NameUnknown as error:
                raise AddressNotAllowed from error
        found = [parse(text) for text in texts]
        known = [address for address in found if address is not None and self._may_reach(address)]
        if not found or len(found) > MOST_ADDRESSES or len(known) < len(found):
            raise AddressNotAllowed
        return known

    def _may_reach(self, address: Address) -> bool:
        """Return whether an address is public, or what the operator means by the place that was named."""
        if self.policy.is_allowed(address):
            return True
        return self.is_named and (is_private(address) or address == self.target.literal)

    def _connect(self, addresses: Sequence[Address]) -> Talk:
        failure: Exception = HostUnavailable()
        for address in addresses[:_TRIED_ADDRESSES]:
            try:
                if self.policy.proxy is not None and self.policy.is_allowed(address):
                    yield from self._connect_through_proxy(address)
                    return
                peer = yield Connect(str(address), self.target.port, self.left(CONNECT_SECONDS))
            except OSError as error:
                failure = error
                continue
            if parse(str(peer)) != address:
                raise AddressNotAllowed
            return
        raise failure

    def _connect_through_proxy(self, address: Address) -> Talk:
        proxy = self.policy.proxy
        assert proxy is not None  # noqa: S101 - asked by the caller
        yield Connect(proxy.host, proxy.port, self.left(CONNECT_SECONDS))
        there = f"[{address}]" if address.version == 6 else str(address)
        lines = [f"CONNECT {there}:{self.target.port} HTTP/1.1", f"Host: {there}:{self.target.port}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        yield Send("\r\n".join([*lines, "", ""]).encode("ascii"), self.left())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = yield Receive(1, self.left())  # not a byte of what comes after
            head += piece
            if not piece or len(head) > _PROXY_HEAD_BYTES:
                raise ConnectionError("the proxy's answer does not end")
        if head.split(b" ", 2)[1:2] != [b"200"]:
            raise ConnectionError("the proxy refuses")


@dataclass(frozen=True)
class _Hop:
    """One request to one server."""

    way: Way
    wanted: Fetch
    credentials: Mapping[str, str]

    def talk(self) -> Exchange:
        yield from self.way.go()
        if self.way.target.scheme == "https":
            yield from self.way.secure()
        return (yield from self._ask())

    def _ask(self) -> Exchange:
        spoken = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        try:
            yield Send(self._request(spoken), self.way.left())
            head = yield from self._event(spoken)
            while isinstance(head, h11.InformationalResponse):
                if head.status_code == 101:
                    raise FetchFailed
                head = yield from self._event(spoken)
            if not isinstance(head, h11.Response):
                raise FetchFailed
            return (yield from self._answer(spoken, head))
        except (h11.RemoteProtocolError, UnicodeError) as error:
            raise FetchFailed from error

    def _request(self, spoken: h11.Connection) -> bytes:
        headers = {
            "Host": self.way.target.authority,
            "User-Agent": USER_AGENT,
            "Accept": ", ".join(self.wanted.content_types) or "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            **self.wanted.headers,
            **self.credentials,
        }
        if self.wanted.method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(self.wanted.body))
        request = h11.Request(
            method=self.wanted.method, target=self.way.target.path, headers=list(headers.items())
        )
        said = spoken.send(request) or b""
        if self.wanted.body:
            said += spoken.send(h11.Data(data=self.wanted.body)) or b""
        return said + (spoken.send(h11.EndOfMessage()) or b"")

    def _event(self, spoken: h11.Connection) -> Talk:
        while (event := spoken.next_event()) is h11.NEED_DATA:
            spoken.receive_data((yield Receive(_READ_BYTES, self.way.left())))
        return event

    def _answer(self, spoken: h11.Connection, head: h11.Response) -> Exchange:
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        headers.pop("set-cookie", None)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_success = 200 <= head.status_code < 300
        limit = min(self.wanted.max_bytes, LARGEST_BYTES)
        if is_success:
            self._require_fitting(kind, headers.get("content-length", ""), limit)
        body = Body(
            encoding=headers.get("content-encoding", "").strip().lower()
            if self.wanted.method != "HEAD"
            else "",
            limit=limit if is_success else min(limit, _EXCERPT_BYTES),
            cut=not is_success,
        )
        while not body.is_full and not isinstance(
            event := (yield from self._event(spoken)), h11.EndOfMessage
        ):
            if not isinstance(event, h11.Data):
                raise FetchFailed
            body.take(bytes(event.data))
        return Fetched(
            url=self.way.target.url,
            status=head.status_code,
            content_type=kind,
            headers=headers,
            body=body.end(),
        )

    def _require_fitting(self, kind: str, announced: str, limit: int) -> None:
        wanted = self.wanted.content_types
        if wanted and kind not in wanted and f"{kind.partition('/')[0]}/*" not in wanted:
            raise ContentTypeNotAllowed
        if announced.isdigit() and int(announced) > limit:
            raise FetchTooLarge(limit_kb=limit // 1024)


def _require_plain(wanted: Fetch) -> None:
    """Headers are the caller's code, their values may come from people: no line break, none of ours."""
    for name, value in [*wanted.headers.items(), *wanted.credentials.items()]:
        if name.lower() in _OWN_HEADERS or not name.replace("-", "").isalnum() or not name.isascii():
            raise ValueError(f"header {name!r} is not the caller's to write")
        if not value.isascii() or not value.isprintable():
            raise AddressNotAllowed

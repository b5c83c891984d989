"""Servers on loopback for the fetcher's tests: 127.0.0.1 is the canary, 127.0.0.2 plays the public internet."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from apps.core.outbound.addresses import Address, is_public
from apps.core.outbound.resolving import NameUnknown

CANARY, PUBLIC = "127.0.0.1", "127.0.0.2"
Play = Callable[[socket.socket], None]


def public_here(address: Address) -> bool:
    """The product's check, and the one loopback address that stands for the internet."""
    return address == ip_address(PUBLIC) or is_public(address)


@dataclass
class Names:
    """A name server: what a name answers next; the last answer stays."""

    answers: Mapping[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, name: str, port: int) -> list[str]:
        self.asked.append(name)
        if name not in self.answers:
            raise NameUnknown
        turns = self.answers[name]
        return turns[min(self.asked.count(name), len(turns)) - 1]


@dataclass
class Server:
    """What it was asked: the head of each request."""

    address: str
    port: int
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def hits(self) -> int:
        return len(self.heads)

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.address}:{self.port}{path}"


def reply(
    body: bytes = b"hello",
    *headers: str,
    status: str = "200 OK",
    kind: str = "text/plain",
    length: bool = True,
) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return reply(b"", f"Location: {location}", status=status)


@contextmanager
def served(
    address: str, answers: Mapping[str, bytes | Play], *, context: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Server]:
    """Answer by path until the block ends; an unknown path gets 404."""
    listener = socket.create_server((address, port))
    server = Server(address, listener.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(taken,), daemon=True).start()

    def one(taken: socket.socket) -> None:
        with suppress(OSError):
            line = taken if context is None else context.wrap_socket(taken, server_side=True)
            with line:
                _answer(line, server, answers)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


def _answer(line: socket.socket, server: Server, answers: Mapping[str, bytes | Play]) -> None:
    line.settimeout(5)
    received = b""
    while b"\r\n\r\n" not in received:
        piece = line.recv(65536)
        if not piece:
            return
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    size = next(
        (int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")),
        0,
    )
    while len(body) < size:
        body += line.recv(65536)
    server.heads.append(head.decode("latin-1"))
    server.bodies.append(body)
    answer = answers.get(head.split(b" ")[1].decode("latin-1"), reply(b"", status="404 Not Found"))
    if isinstance(answer, bytes):
        line.sendall(answer)
    else:
        answer(line)


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

"""The load: readers that only read. `python -m tests.benchmarks.crowd` takes one JSON order a line, answers with one.

Raw non-blocking sockets in a process of their own: they count bytes and look for the number of the last message; a few
of them also take every frame apart, for the latency. All readers of a room got the same when their bytes, without pings,
are equal and their last number is the last that was sent there. Its own share of a core is in each answer: a figure is worth
nothing when that is high.
"""

from __future__ import annotations

import base64
import json
import os
import re
import select
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.wire import masked

WATCHED = 4  # readers whose frames are all looked at; of many rooms one of each
_NUMBER = re.compile(rb"\^(\d+) (\d+\.\d+)\^")  # stands in every text
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)  # all else is ASCII or a frame's length
_READ_BYTES = 1 << 18
_TAIL_BYTES = 4096


@dataclass(slots=True)
class Reader:
    """One socket."""

    socket: socket.socket
    room: int
    bytes: int = 0
    tail: bytes = b""
    last: int = -1
    times: list[float] | None = field(default=None)
    held: bytes = b""


def opened(
    host: str, port: int, path: str, headers: Sequence[str], *, receive_bytes: int | None = None
) -> socket.socket:
    """Return a socket that was let in.

    Args:
        receive_bytes: how much the kernel takes for it; less makes a slow reader slow at once.
    """
    made = socket.socket()
    if receive_bytes is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    made.settimeout(30)
    made.connect((host, port))
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "Sec-WebSocket-Version: 13", *headers, "", "",
    ]  # fmt: skip
    made.sendall("\r\n".join(lines).encode())
    if b" 101 " not in made.recv(4096):
        raise ConnectionError("refused")
    return made


@dataclass(slots=True)
class Room:
    """Who sends to some of the readers.

    Attributes:
        frame: what is sent; TEXT and KEY stand for what is another each time.
        sent: how many were.
    """

    sender: socket.socket
    frame: str
    held: bytes = b""
    sent: int = 0


class Crowd:
    """All readers, and one sender for each of their rooms."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._poll = select.epoll()
        self._heard = select.poll()  # a socket with a timeout waits for it, whatever the flags of `recv` say
        self._readers: dict[int, Reader] = {}
        self._rooms: list[Room] = []
        for number, room in enumerate(order["rooms"]):
            for place in range(order["readers"] // len(order["rooms"])):
                watched = place < max(1, WATCHED // len(order["rooms"]))
                reader = Reader(self._open(room), number, times=[] if watched else None)
                reader.socket.setblocking(False)
                self._readers[reader.socket.fileno()] = reader
                self._poll.register(reader.socket, select.EPOLLIN)
            sender = self._open(room)
            sender.settimeout(5)
            self._heard.register(sender, select.POLLIN)
            self._rooms.append(Room(sender, room["frame"]))
        self._next = 0

    def _open(self, room: dict[str, Any]) -> socket.socket:
        return opened(self._order["host"], self._order["port"], room["path"], room["headers"])

    def settle(self, seconds: float = 1.0) -> None:
        """Read what comes first (a greeting), then begin to count."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self._turn(0.05)
        for reader in self._readers.values():
            reader.bytes, reader.tail = 0, b""

    def step(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send at a rate for some seconds; answer what arrived, when, and what the load itself cost."""
        for reader in self._readers.values():
            reader.bytes = 0
            if reader.times is not None:
                reader.times.clear()
        cpu, begun, sent = time.process_time(), time.perf_counter(), 0
        while (elapsed := time.perf_counter() - begun) < seconds:
            due = int(elapsed * rate) + 1 - sent
            sent += max(0, due)
            if due > 0:
                self._send(due)
            self._turn(min(0.002, 1 / rate))
        last = time.perf_counter()
        while not self._is_complete() and time.perf_counter() - last < 5:
            self._turn(0.01)
        took = time.perf_counter() - begun
        late = time.perf_counter() - last
        times = sorted(
            t for reader in self._readers.values() if reader.times is not None for t in reader.times
        )
        return {
            "sent": sent, "complete": self._is_complete(), "late": late, "seconds": took,
            "p50": times[len(times) // 2] if times else 9.9, "p95": times[int(len(times) * 0.95)] if times else 9.9,
            "bytes": sum(reader.bytes for reader in self._readers.values()),
            "unlike": self._unlike(),
            "own_cpu": (time.process_time() - cpu) / took,
        }  # fmt: skip

    def _is_complete(self) -> bool:
        sizes = {(reader.room, reader.bytes) for reader in self._readers.values()}
        return len(sizes) == len(self._rooms) and all(
            reader.last == self._rooms[reader.room].sent - 1 for reader in self._readers.values()
        )

    def _unlike(self) -> list[tuple[int, int, int]]:
        """Return which bytes and last number how many readers have, the most frequent first; one of them is right."""
        readers = Counter((reader.bytes, reader.last) for reader in self._readers.values())
        return [(count, size, last) for (size, last), count in readers.most_common(4)]

    def _send(self, count: int) -> None:
        """Send to one room after the other."""
        frames: dict[int, list[bytes]] = defaultdict(list)
        for number in range(self._next, self._next + count):
            room = self._rooms[number % len(self._rooms)]
            text = room.frame.replace("TEXT", f"^{room.sent} {time.time():.6f}^ " + "fox jumps over " * 9)
            key = f"{time.time_ns()}.{number}"
            frames[number % len(self._rooms)].append(masked(1, text.replace("KEY", key).encode()))
            room.sent += 1
        self._next += count
        heard = {descriptor for descriptor, _ in self._heard.poll(0)}
        for number, waiting in frames.items():
            room = self._rooms[number]
            try:
                room.sender.sendall(b"".join(waiting))
                if room.sender.fileno() in heard:  # it is in the room too
                    data = room.sender.recv(_READ_BYTES)
                    _, room.held = _without_pings(room.sender, room.held + data)
            except OSError as error:
                sys.stderr.write(f"the sender was closed: {error}\n")  # what it has sent will not be complete

    def _turn(self, seconds: float) -> None:
        readers = self._readers
        for descriptor, _ in self._poll.poll(seconds):
            reader = readers[descriptor]
            try:
                data = reader.socket.recv(_READ_BYTES)
            except BlockingIOError:
                continue
            if not data:  # too slow, the server says: what is sent from here on will never be complete
                self._poll.unregister(descriptor)
                continue
            data, reader.held = _without_pings(reader.socket, reader.held + data)
            whole = reader.tail + data
            reader.bytes += len(data)
            if reader.times is not None:
                now = time.time()
                for found in _NUMBER.finditer(whole):
                    if int(found[1]) > reader.last:
                        reader.last = int(found[1])
                        reader.times.append(now - float(found[2]))
                reader.tail = whole[-_TAIL_BYTES:]
            else:
                reader.tail = whole[-_TAIL_BYTES:]
                if (place := reader.tail.rfind(b"^")) > 0 and (at := reader.tail.rfind(b"^", 0, place)) >= 0:
                    found = _NUMBER.match(reader.tail, at)
                    if found is not None:
                        reader.last = int(found[1])


def _without_pings(answer_to: socket.socket, data: bytes) -> tuple[bytes, bytes]:
    """Answer pings, as browsers do; who does not is closed. Returns the rest, and what may be half a ping."""
    for payload in _PING.findall(data):
        answer_to.send(masked(0xA, payload))
    rest = _PING.sub(b"", data)
    half = rest.rfind(b"\x89", -5)
    return (rest, b"") if half < 0 else (rest[:half], rest[half:])


def main() -> None:
    """Take orders."""
    crowd = Crowd(json.loads(sys.stdin.readline()))
    crowd.settle()
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(crowd.step(order["rate"], order["seconds"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Look a name up once, in a thread of its own: the system's resolver knows no time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final

MOST_AT_ONCE: Final = 32
_free = threading.BoundedSemaphore(MOST_AT_ONCE)


class NameUnknown(Exception):
    """The name has no address."""


def look_up(name: str, port: int) -> Sequence[str]:
    """Return every address of a name as text, in the resolver's order; blocks as long as the resolver wants.

    Raises:
        NameUnknown: for good. OSError: for now.
    """
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise
        raise NameUnknown from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def begin(look: Callable[[str, int], Sequence[str]], name: str, port: int) -> Future[Sequence[str]]:
    """Start a look-up and return its future; the caller decides how long to wait.

    A thread that hangs is left behind as a daemon: a slow name server holds neither a pool nor the end of the process.
    At most 32 hang at once; beyond that a look-up fails at once.
    """
    future: Future[Sequence[str]] = Future()
    if not _free.acquire(blocking=False):
        future.set_exception(TimeoutError("too many names are being looked up"))
        return future
    threading.Thread(target=_work, args=(future, look, name, port), name="look-up", daemon=True).start()
    return future


def _work(
    future: Future[Sequence[str]], look: Callable[[str, int], Sequence[str]], name: str, port: int
) -> None:
    try:
        found = look(name, port)
    except Exception as error:  # noqa: BLE001 - handed to the one who waits
        with suppress(InvalidStateError):  # who waited has left
            future.set_exception(error)
    else:
        with suppress(InvalidStateError):
            future.set_result(found)
    finally:
        _free.release()

"""From where the running code was called: address and session, for the trail; and what is owed to it at the end.

Opened for each request, socket and task. The request's id is where the logs have it, in structlog's context.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from prometheus_client import Counter

logger = logging.getLogger(__name__)
unwritten = Counter("chatsystem_audit_unwritten_total", "Refusals that could not be written to the trail")


@dataclass
class Origin:
    """Who knocked. One object for a whole request, whatever threads it runs through.

    Attributes:
        address: the client's, empty for a Unix socket and for our own processes.
        session: what a revocation names: session key hash or API key id; empty before it is known.
        owed: writes that wait for the end, when the transaction they would have died in is over.
    """

    address: str = ""
    session: str = ""
    owed: list[Callable[[], None]] = field(default_factory=list)


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def use(*, address: str = "", session: str = "") -> Iterator[Origin]:
    """Work for one caller until the block ends. Who opens it calls `settle` afterwards, in a thread that may block."""
    opened = Origin(address, session)
    token = _origin.set(opened)
    try:
        yield opened
    finally:
        _origin.reset(token)


@contextmanager
def acting(*, address: str = "", session: str = "") -> Iterator[Origin]:
    """`use` for code that may block: pays at the end what is owed."""
    with use(address=address, session=session) as opened:
        try:
            yield opened
        finally:
            settle(opened)


def find_current() -> Origin | None:
    """Return the origin of the current context, or None."""
    return _origin.get()


def note_session(session: str) -> None:
    """Say which session or key calls, as soon as that is known."""
    opened = _origin.get()
    if opened is not None:
        opened.session = session


def settle(opened: Origin) -> None:
    """Do what is owed, each in a transaction of its own; a failure is counted and logged, and spoils no answer."""
    owed, opened.owed = opened.owed, []
    for pay in owed:
        try:
            pay()
        except Exception:
            unwritten.inc()
            logger.exception("audit.refusal_not_written")

"""Connections for protocols that talk in turns, such as IMAP: by the rules of a fetch, and always encrypted."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from apps.core import tenancy
from apps.core.outbound import fetching
from apps.core.outbound.drivers import Wire
from apps.core.outbound.errors import FetchFailed, HostUnavailable
from apps.core.outbound.exchange import Receive, Send, Way
from apps.core.outbound.types import LONGEST_SECONDS, Fetch
from apps.core.outbound.urls import Target, read

PIECE_BYTES: Final = 64 * 1024


class Line:
    """An open connection. Each wait ends: what a turn may take in all is said by `allow`."""

    def __init__(self, way: Way, wire: Wire) -> None:
        self._way, self._wire = way, wire

    def allow(self, seconds: float) -> None:
        """Let what follows take so long in all."""
        self._way = replace(self._way, deadline=time.monotonic() + seconds)

    def secure(self) -> None:
        """Begin TLS.

        Raises:
            HostUnavailable. FetchFailed: the certificate is not the host's.
        """
        with _told():
            self._wire.follow(self._way.secure())

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            HostUnavailable.
        """
        with _told():
            self._wire.do(Send(data, self._way.left()))

    def receive(self) -> bytes:
        """Return what came, at most 64 KiB.

        Raises:
            HostUnavailable: also at the end.
        """
        with _told():
            data: bytes = self._wire.do(Receive(PIECE_BYTES, self._way.left()))
        if not data:
            raise HostUnavailable
        return data

    def close(self) -> None:
        """Hang up. Twice is harmless."""
        self._wire.hang()


def open_line(target: Target, *, purpose: str, is_encrypted: bool) -> Line:
    """Connect for the current organization.

    Args:
        target: with host and port; see `place`.
        is_encrypted: begin with TLS; else the caller calls `secure` before it says anything of value.

    Raises:
        AddressNotAllowed, HostUnavailable, FetchFailed: as `fetching.fetch`.
    """
    organization_id = tenancy.current()
    asked = Fetch(url=target.url, purpose=purpose)
    with fetching.watched(asked, organization_id):
        policy = fetching.policy_for(organization_id)
        breaker = fetching.breaker_of(asked, organization_id)
        breaker.require_closed()
        way = Way(target, policy, policy.mail_ports, time.monotonic() + LONGEST_SECONDS)
        wire = Wire(policy.look_up)
        try:
            with _told():
                wire.follow(way.go())
                if is_encrypted:
                    wire.follow(way.secure())
        except BaseException as error:
            wire.hang()
            if isinstance(error, HostUnavailable):
                breaker.failed()
            raise
        breaker.succeeded()
    return Line(way, wire)


def place(host: str, port: int) -> Target:
    """Return host and port as they are connected to.

    Raises:
        AddressNotAllowed.
    """
    return read(f"https://{host}:{port}/")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed from error
    except OSError as error:
        raise HostUnavailable from error

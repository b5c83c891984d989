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
from apps.core.outbound.errors import AddressNotAllowed, FetchFailed, HostUnavailable
from apps.core.outbound.exchange import Receive, Send, Way
from apps.core.outbound.types import LONGEST_SECONDS
from apps.core.outbound.urls import MAIL, Target, read

PIECE_BYTES: Final = 64 * 1024
_PLAIN, _ENCRYPTED = "imap", "imaps"


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


def open_line(target: Target, *, purpose: str) -> Line:
    """Connect for the current organization.

    Args:
        target: see `place`; what does not begin with TLS calls `secure` before it says anything of value.

    Raises:
        AddressNotAllowed, HostUnavailable, FetchFailed: as `fetching.fetch`.
    """
    organization_id = tenancy.current()
    with fetching.watched(purpose, organization_id):
        policy = fetching.policy_for(organization_id, purpose)
        breaker = fetching.breaker_of(target, organization_id)
        breaker.require_closed()
        way = Way(target, policy, time.monotonic() + LONGEST_SECONDS)
        wire = Wire(policy.look_up)
        try:
            with _told():
                wire.follow(way.go())
                if target.scheme == _ENCRYPTED:
                    wire.follow(way.secure())
        except BaseException as error:
            wire.hang()
            if isinstance(error, HostUnavailable):
                breaker.failed()
            raise
        breaker.succeeded()
    return Line(way, wire)


def place(host: str, port: int, *, is_encrypted: bool) -> Target:
    """Return host and port of a mail server as they are connected to.

    Args:
        is_encrypted: from the first byte.

    Raises:
        AddressNotAllowed.
    """
    written = f"[{host}]" if ":" in host and not host.startswith("[") else host
    target = read(f"{_ENCRYPTED if is_encrypted else _PLAIN}://{written}:{port}/", schemes=MAIL)
    if target.path != "/" or "#" in host:  # more than a host was given
        raise AddressNotAllowed
    return target


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed from error
    except OSError as error:
        raise HostUnavailable from error

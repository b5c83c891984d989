"""What is asked for and what comes back; the limits and the policy of one fetch."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from apps.core.outbound.addresses import Address, is_public
from apps.core.outbound.places import Place
from apps.core.outbound.resolving import look_up
from apps.core.outbound.rules import HostRules
from apps.core.outbound.urls import MAIL

LARGEST_BYTES: Final = 10 * 1024 * 1024
LONGEST_SECONDS: Final = 10.0
MOST_REDIRECTS: Final = 3
USER_AGENT: Final = "chatsystem"


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """One thing to fetch or send.

    Attributes:
        purpose: the feature that asks, a fixed word of the code: it names metrics and logs.
        content_types: what may come back, `text/html` or `image/*`; empty takes anything.
        headers: plain ones; names the fetcher writes itself are refused.
        credentials: headers with a secret of the address's owner, never one of ours; sent to the first origin only
            and never over http.
        max_redirects: 0 returns the redirect itself. A body is never sent on.
    """

    url: str
    purpose: str
    method: Literal["GET", "HEAD", "POST", "PUT"] = "GET"
    content_types: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_bytes: int = LARGEST_BYTES
    timeout_seconds: float = LONGEST_SECONDS
    max_redirects: int = MOST_REDIRECTS


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answer.

    Attributes:
        url: of the last hop.
        content_type: type and subtype in lower case, without parameters.
        headers: names in lower case; cookies are left out.
        body: decoded; of an answer that is no success its first 64 KiB.
    """

    url: str
    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Return whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The operator's HTTP proxy: asked to connect to the address that was checked, never to a name."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What holds for one fetch. Tests put other eyes in; the product changes only proxy, rules and places.

    Attributes:
        places: named by the operator for this purpose; they may be private and have any port.
    """

    rules: HostRules = field(default_factory=HostRules)
    ports: frozenset[int] = frozenset({80, 443})
    mail_ports: frozenset[int] = frozenset({143, 993})
    proxy: Proxy | None = None
    places: frozenset[Place] = frozenset()
    is_allowed: Callable[[Address], bool] = is_public
    look_up: Callable[[str, int], Sequence[str]] = look_up
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def ports_of(self, scheme: str) -> frozenset[int]:
        """Return the ports that may be reached by a scheme."""
        return self.mail_ports if scheme in MAIL else self.ports

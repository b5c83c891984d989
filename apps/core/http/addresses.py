"""Where a request comes from, without believing what its sender wrote into headers."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address, or an empty text for a Unix socket.

    `X-Forwarded-For` counts only from the right, and only as many hops as there are trusted proxies (0 by default).
    """
    return believed(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def believed(peer: str, forwarded: str) -> str:
    """Return the client's address.

    Args:
        peer: who opened the connection.
        forwarded: what `X-Forwarded-For` says.
    """
    hops = forwarded.split(",") if _trusted_proxies() else []
    seen = [hop.strip() for hop in hops if hop.strip()] + [peer]
    return normal(seen[max(0, len(seen) - 1 - _trusted_proxies())])


@lru_cache(maxsize=4096)  # one request asks five times
def normal(address: str) -> str:
    """Return an address in its one spelling: without port and zone, IPv4 inside IPv6 as IPv4; empty if it is none."""
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def network(address: str) -> str:
    """Return what limits count by: the IPv4 address, or the /64 one IPv6 customer has."""
    found = normal(address)
    if ":" not in found:
        return found
    return str(ipaddress.ip_network((found, 64), strict=False))


def _trusted_proxies() -> int:
    return int(settings.CONFIGURATION.server.trusted_proxies)

"""Which hosts an organization lets its people, documents and agents reach."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.outbound.errors import AddressNotAllowed, HostPatternInvalid
from apps.core.outbound.urls import Target, ascii_name

ANY_BELOW = "*."


@dataclass(frozen=True)
class HostRules:
    """Patterns: `example.com` is that host, `*.example.com` all below it.

    Attributes:
        allowed: where any are named, no other host is reached.
        denied: never reached, whatever is allowed.
    """

    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    def require(self, target: Target) -> None:
        """Refuse a host the organization does not want.

        Raises:
            AddressNotAllowed.
        """
        if _matches(target.host, self.denied) or (self.allowed and not _matches(target.host, self.allowed)):
            raise AddressNotAllowed


def clean_pattern(text: str) -> str:
    """Return a pattern as it is stored.

    Raises:
        HostPatternInvalid.
    """
    below = text.strip().startswith(ANY_BELOW)
    try:
        name = ascii_name(text.strip().removeprefix(ANY_BELOW))
    except AddressNotAllowed as error:
        raise HostPatternInvalid from error
    if "." not in name:
        raise HostPatternInvalid
    return f"{ANY_BELOW}{name}" if below else name


def _matches(host: str, patterns: frozenset[str]) -> bool:
    if host in patterns:
        return True
    labels = host.split(".")
    return any(f"{ANY_BELOW}{'.'.join(labels[at:])}" in patterns for at in range(1, len(labels)))

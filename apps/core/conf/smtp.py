"""Where outgoing mail goes: one address with all that its connection needs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

DEFAULT_TIMEOUT_SECONDS = 10
LONGEST_TIMEOUT_SECONDS = 60
# Scheme: port, TLS from the first byte, TLS asked for after the greeting (and refused mail without it).
_SCHEMES = {"smtp": (25, False, False), "smtps": (465, True, False), "smtp+tls": (587, False, True)}


@dataclass(frozen=True)
class SmtpServer:
    """A mail server as Django's backend wants it; user and password are empty for one that asks for none."""

    host: str
    port: int
    user: str
    password: str
    has_tls: bool
    starts_tls: bool
    timeout_seconds: int

    @property
    def is_encrypted(self) -> bool:
        """Return whether mail and password travel unreadable."""
        return self.has_tls or self.starts_tls


def parse(url: str) -> SmtpServer:
    """Return the parts of `smtp+tls://user:password@host:port?timeout=seconds`, user and password percent-encoded.

    `smtps` speaks TLS from the start (port 465), `smtp+tls` after STARTTLS (587), `smtp` never (25).

    Raises:
        ValueError: what is wrong, without a part of the address, as it holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is no address: percent-encode user and password, and check the port") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"must start with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}")
    if not parts.hostname:
        raise ValueError("names no server")
    if parts.path not in ("", "/") or parts.fragment or port == 0:
        raise ValueError("has more than user, password, server, port and timeout")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("needs user and password, or neither")
    usual_port, has_tls, starts_tls = _SCHEMES[parts.scheme]
    return SmtpServer(
        parts.hostname, port or usual_port, user, password, has_tls, starts_tls, _timeout_seconds(parts.query)
    )


def _timeout_seconds(query: str) -> int:
    given = parse_qsl(query, keep_blank_values=True)
    if any(name != "timeout" for name, _ in given) or len(given) > 1:
        raise ValueError("takes one option: timeout")
    text = given[0][1] if given else str(DEFAULT_TIMEOUT_SECONDS)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LONGEST_TIMEOUT_SECONDS):
        raise ValueError(f"timeout is a number of seconds from 1 to {LONGEST_TIMEOUT_SECONDS}")
    return int(text)

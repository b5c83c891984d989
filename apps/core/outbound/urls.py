"""Read an address once, strictly: what connects is what was checked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin

import idna

from apps.core.outbound.addresses import Address, parse
from apps.core.outbound.errors import AddressNotAllowed

LONGEST: Final = 2048
_SHAPE: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^][:@/?#%]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:\#.*)?",
    re.IGNORECASE,
)
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_DEFAULT_PORT: Final = {"http": 80, "https": 443, "imap": 143, "imaps": 993}
WEB: Final = frozenset({"http", "https"})
MAIL: Final = frozenset({"imap", "imaps"})  # the first encrypts by STARTTLS
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_KEPT: Final = "/?&=+,;:@!$'()*~%-._[]|"  # of a path or query that came percent-encoded


@dataclass(frozen=True)
class Target:
    """An address in its parts.

    Attributes:
        host: lower case, ASCII, no brackets; a name or a literal.
        path: with the query, percent-encoded, begins with a slash.
        literal: the address where the host is one.
    """

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Return the value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the whole address."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def join(self, location: str) -> Target:
        """Return where a redirect leads.

        Raises:
            AddressNotAllowed.
        """
        if _FORBIDDEN.search(location):
            raise AddressNotAllowed
        try:
            return read(urljoin(self.url, location))
        except ValueError as error:  # unbalanced brackets
            raise AddressNotAllowed from error


def read(url: str, *, schemes: Collection[str] = WEB) -> Target:
    """Return the parts of an address.

    Raises:
        AddressNotAllowed: anything unusual: user name, control characters, backslash, a number that is no plain
            dotted address, a name that is none, another scheme.
    """
    matched = None if len(url) > LONGEST or _FORBIDDEN.search(url) else _SHAPE.fullmatch(url)
    if matched is None:
        raise AddressNotAllowed
    scheme = matched["scheme"].lower()
    if scheme not in schemes:
        raise AddressNotAllowed
    port = int(matched["port"]) if matched["port"] else _DEFAULT_PORT[scheme]
    if not 0 < port < 65536:
        raise AddressNotAllowed
    host, literal = _host(matched["host"])
    path = quote((matched["path"] or "/") + (matched["query"] or ""), safe=_KEPT)
    return Target(scheme, host, port, path, literal)


def _host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        literal = parse(text[1:-1])
        if literal is None or literal.version != 6:
            raise AddressNotAllowed
        return str(literal), literal
    name = ascii_name(text)
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        # WHATWG: such a host is an IPv4 address in some spelling. Only the plain one is read alike by everybody.
        literal = parse(name)
        if literal is None:
            raise AddressNotAllowed
        return name, literal
    return name, None


def ascii_name(text: str) -> str:
    """Return a host name as name servers know it: look-alikes mapped (UTS 46), lower case, no last dot.

    Raises:
        AddressNotAllowed.
    """
    try:
        mapped = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressNotAllowed from error
    name = mapped.removesuffix(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise AddressNotAllowed
    return name

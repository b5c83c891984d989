"""Places the operator named for what people name, exact: scheme, host and port. They alone may be private (D16)."""

from __future__ import annotations

from functools import cache
from typing import Final

from apps.core.outbound.addresses import is_loopback, is_private, is_public
from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.urls import MAIL, WEB, Target, read

Place = tuple[str, str, int]
_SCHEMES: Final = WEB | MAIL
_THIS_MACHINE: Final = "localhost"


@cache
def read_places(text: str) -> frozenset[Place]:
    """Return the places of a setting, which names them by comma.

    Raises:
        ValueError: says what is wrong with which of them.
    """
    return frozenset(_place(part) for part in map(str.strip, text.split(",")) if part)


def _place(text: str) -> Place:
    if "@" in text:
        raise ValueError("an address has no user name and no password")  # and the text is not repeated
    try:
        target = read(text, schemes=_SCHEMES)
    except AddressNotAllowed:
        raise ValueError(
            f"{text} is no scheme (http, https, imap, imaps), host and port, such as https://git.intern"
        ) from None
    if target.path != "/" or "#" in text:
        raise ValueError(f"{text} is more than scheme, host and port")
    _require_possible(target, text)
    return target.origin


def _require_possible(target: Target, text: str) -> None:
    address = target.literal
    if address is None:
        if target.host.rpartition(".")[2] == _THIS_MACHINE:
            raise ValueError(f"{text}: name this machine by its address, such as http://127.0.0.1:9000")
    elif not (is_loopback(address) or is_private(address) or is_public(address)):
        raise ValueError(f"{text}: no documents are at this address")

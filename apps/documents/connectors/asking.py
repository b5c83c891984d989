"""Ask the server of a source through the safe fetcher, and say in the words of sources what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.core.outbound import fetching, operator
from apps.core.outbound.addresses import is_loopback, is_private, is_public
from apps.core.outbound.errors import AddressNotAllowed, FetchFailed, FetchTooLarge, HostUnavailable
from apps.core.outbound.types import Fetch, Fetched
from apps.core.outbound.urls import Target, read
from apps.documents.errors import SourceError, SourceFailed

PURPOSE: Final = operator.DOCUMENT_SOURCE
SETTING: Final = "CHATSYSTEM_SOURCE_ADDRESSES"
_SERVER_FAULT, _UNAVAILABLE, _TOO_MANY_REQUESTS = 500, 503, 429
_REFUSED = frozenset({401, 403, 407})
_GONE = frozenset({404, 410})


def usable(text: str) -> Target | None:
    """Return an address that may be public, or that the operator named, as the fetcher reads it; None for any other."""
    target = _read(text)
    return target if target is not None and is_open(target) else None


def is_open(target: Target) -> bool:
    """Return whether an address may be reached, as far as it is known before its name is looked up."""
    return target.literal is None or is_public(target.literal) or is_named(target)


def is_named(target: Target) -> bool:
    """Return whether the operator named this scheme, host and port."""
    return target.origin in operator.places_for(PURPOSE)


def why_not(address: str | Target | None, otherwise: str | Promise) -> str:
    """Return what is said of an address that is not usable: of a private one, who can change that.

    Args:
        otherwise: of one that is none, or never usable.
    """
    target = _read(address) if isinstance(address, str) else address
    if target is None or target.literal is None or is_open(target):
        return str(otherwise)
    if not (is_private(target.literal) or is_loopback(target.literal)):
        return str(otherwise)
    said = _("%(address)s is inside a private network. Ask your operator to name it in %(setting)s.")
    return said % {"address": f"{target.scheme}://{target.authority}", "setting": SETTING}


def is_secure(url: str) -> bool:
    """Return whether what is sent there is encrypted."""
    return url.startswith("https://")


def ask(wanted: Fetch) -> Fetched:
    """Return what a server answers, whatever its status.

    Raises:
        SourceFailed.
    """
    with told():
        return fetching.fetch(wanted)


@contextmanager
def told() -> Iterator[None]:
    """Say in the words of sources what became of a connection.

    Raises:
        SourceFailed.
    """
    try:
        yield
    except AddressNotAllowed as error:
        raise SourceFailed(SourceError.ADDRESS) from error
    except HostUnavailable as error:
        raise SourceFailed(SourceError.UNREACHABLE) from error
    except FetchTooLarge as error:
        raise SourceFailed(SourceError.TOO_LARGE) from error
    except FetchFailed as error:
        raise SourceFailed(SourceError.NONSENSE) from error


def require_success(answer: Fetched) -> Fetched:
    """Return an answer that is one.

    Raises:
        SourceFailed.
    """
    if not answer.is_success:
        raise SourceFailed(_failure(answer.status))
    return answer


def _failure(status: int) -> SourceError:
    if status in _REFUSED:
        return SourceError.CREDENTIALS
    if status in _GONE:
        return SourceError.MISSING
    if status in (_TOO_MANY_REQUESTS, _UNAVAILABLE):
        return SourceError.THROTTLED
    return SourceError.UNREACHABLE if status >= _SERVER_FAULT else SourceError.NONSENSE


def _read(text: str) -> Target | None:
    try:
        return read(text)
    except AddressNotAllowed:
        return None

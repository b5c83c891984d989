"""Ask the server of a source through the safe fetcher, and say in the words of sources what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.core.outbound import fetching
from apps.core.outbound.addresses import is_public
from apps.core.outbound.errors import AddressNotAllowed, FetchFailed, FetchTooLarge, HostUnavailable
from apps.core.outbound.types import Fetch, Fetched
from apps.core.outbound.urls import Target, read
from apps.documents.errors import SourceError, SourceFailed

PURPOSE = "document_source"
_SERVER_FAULT, _UNAVAILABLE, _TOO_MANY_REQUESTS = 500, 503, 429
_REFUSED = frozenset({401, 403, 407})
_GONE = frozenset({404, 410})


def usable(text: str) -> Target | None:
    """Return an address that may be public, as the fetcher reads it; None for any other."""
    try:
        target = read(text)
    except AddressNotAllowed:
        return None
    return target if target.literal is None or is_public(target.literal) else None


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

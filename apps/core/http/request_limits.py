"""How large a request may be, and how often one network may fail to sign in at the API."""

from __future__ import annotations

import time
from collections import OrderedDict
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.core.api.problems import Problem, refusal_as_problem
from apps.core.errors import TooManyRequests
from apps.core.http.addresses import client_address, network
from apps.core.http.errors import AddressTooLong, BodyTooLarge
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken

LONGEST_ADDRESS = 8 * 1024
# Guessing keys ends here; who has signed in is counted by principal and key instead.
FAILURES_PER_MINUTE = 120
_COUNTED = "/api/"
_MOST_NETWORKS = 10_000
_clock = time.monotonic
_refused_until: OrderedDict[str, float] = OrderedDict()


def refusal_of(request: HttpRequest) -> Problem | None:
    """Return why a request is not looked at, or None: too large, or from a network that failed too often."""
    if _may_be_too_long(request) and len(request.get_full_path()) > LONGEST_ADDRESS:
        return refusal_as_problem(AddressTooLong())
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit:
        return refusal_as_problem(BodyTooLarge(limit_kb=limit // 1024))
    try:
        if request.path.startswith(_COUNTED):
            require_patience(client_address(request))
    except TooManyRequests as refusal:
        return refusal_as_problem(refusal)
    return None


def require_patience(address: str) -> None:
    """Refuse a network that failed to sign in too often, at the API or at the socket.

    Raises:
        TooManyRequests.
    """
    left = _refused_until.get(network(address), 0.0) - _clock()
    if left > 0:
        raise TooManyRequests(retry_after_seconds=int(left) + 1)


def _may_be_too_long(request: HttpRequest) -> bool:
    """Return False for nearly every address without writing it out: a character of a path takes at most twelve."""
    return 12 * len(request.path) + len(request.META.get("QUERY_STRING", "")) >= LONGEST_ADDRESS


async def note_failure(address: str) -> None:
    """Count somebody who opened a socket and is nobody."""
    sender = network(address)
    if sender:
        _remember(sender, await limits.take_async([_bucket(sender)]))


def note(request: HttpRequest, response: HttpResponse) -> None:
    """Count an answer that says that the caller is not signed in."""
    if _is_failure(request, response):
        sender = _sender(request)
        _remember(sender, limits.take([_bucket(sender)]))


async def note_async(request: HttpRequest, response: HttpResponse) -> None:
    """Do the same on the event loop."""
    if _is_failure(request, response):
        sender = _sender(request)
        _remember(sender, await limits.take_async([_bucket(sender)]))


def forget() -> None:
    """Look at every network again."""
    _refused_until.clear()


def _is_failure(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        response.status_code == HTTPStatus.UNAUTHORIZED
        and request.path.startswith(_COUNTED)
        and bool(_sender(request))
    )


def _sender(request: HttpRequest) -> str:
    return network(client_address(request))


def _bucket(sender: str) -> Bucket:
    return Bucket("sign_in_failures", sender, FAILURES_PER_MINUTE, FAILURES_PER_MINUTE)


def _remember(sender: str, taken: Taken) -> None:
    """Refuse the network in this process until a token is back, without asking Redis for each of its requests."""
    if taken.is_allowed:
        return
    _refused_until[sender] = _clock() + taken.retry_after_seconds
    _refused_until.move_to_end(sender)
    while len(_refused_until) > _MOST_NETWORKS:
        _refused_until.popitem(last=False)

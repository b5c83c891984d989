"""How large a request may be, and how often one network may ask."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from apps.core.api.problems import Problem, refusal_as_problem
from apps.core.errors import TooManyRequests
from apps.core.http.addresses import client_address, network
from apps.core.http.errors import AddressTooLong, BodyTooLarge
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken

LONGEST_ADDRESS = 8 * 1024
# Many people sit behind one address; one of them gets as much as `requests_per_minute` says.
PEOPLE_PER_ADDRESS = 10
_COUNTED = "/api/"


def refusal_of(request: HttpRequest) -> Problem | None:
    """Return why a request is too large to be looked at, or None."""
    if len(request.get_full_path()) > LONGEST_ADDRESS:
        return refusal_as_problem(AddressTooLong())
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit:
        return refusal_as_problem(BodyTooLarge(limit_kb=limit // 1024))
    return None


def too_often(request: HttpRequest) -> Problem | None:
    """Return why this network has to wait, or None."""
    bucket = _bucket(request)
    return _refused(limits.take([bucket])) if bucket else None


async def too_often_async(request: HttpRequest) -> Problem | None:
    """Do the same on the event loop."""
    bucket = _bucket(request)
    return _refused(await limits.take_async([bucket])) if bucket else None


def _bucket(request: HttpRequest) -> Bucket | None:
    sender = network(client_address(request)) if request.path.startswith(_COUNTED) else ""
    if not sender:
        return None
    rate = settings.CONFIGURATION.security.requests_per_minute * PEOPLE_PER_ADDRESS
    return Bucket("address", sender, rate, rate)


def _refused(taken: Taken) -> Problem | None:
    if taken.is_allowed:
        return None
    return refusal_as_problem(TooManyRequests(retry_after_seconds=taken.retry_after_seconds))

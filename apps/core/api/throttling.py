"""Rate limits of requests: by principal, by the key or session it uses, by organization and by network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.core import origin
from apps.core.api.callers import Caller, find_caller
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken


def buckets_of(caller: Caller | None) -> list[Bucket]:
    """Return what a caller is counted by, at every door: account, key or session, organization, and the network.

    A visitor, or one behind a Unix socket, has fewer of them or none.
    """
    security = settings.CONFIGURATION.security
    rate, counted = security.requests_per_minute, []
    if caller is not None:
        counted.append(Bucket("requests", str(caller.id), rate, rate))
        if caller.session:
            counted.append(Bucket("requests_of_key", caller.session, rate, rate))
        whole = security.requests_per_minute_of_organization or rate * 100
        counted.append(Bucket("requests_of_organization", str(caller.organization_id), whole, whole))
    opened = origin.find_current()
    if opened is not None and opened.address:
        counted.append(limits.requests_from(opened.address))
    return counted


def note(request: Any, taken: Taken) -> None:
    """Leave the state of the limit on the request; a middleware writes it into the headers of the answer."""
    getattr(request, "_request", request).rate_limit = taken


async def throttle(caller: Caller, *, cost: int = 1, also: Sequence[Bucket] = ()) -> dict[str, str]:
    """Count a request of an async view; return the headers of its answer.

    Args:
        also: what else it takes from, such as the messages of its sender.

    Raises:
        TooManyRequests.
    """
    taken = await limits.take_async([*buckets_of(caller), *also], cost=cost)
    taken.require()
    return taken.headers()


class PrincipalThrottle(BaseThrottle):
    """DRF throttle; a view may set `throttle_cost`."""

    def __init__(self) -> None:
        self._taken: Taken | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Take the tokens."""
        caller = find_caller(request)
        if caller is None:
            return True  # visitors are counted by their address, before this
        self._taken = limits.take(buckets_of(caller), cost=getattr(view, "throttle_cost", 1))
        note(request, self._taken)
        return self._taken.is_allowed

    def wait(self) -> float | None:
        """Return the seconds until the request would be allowed."""
        return self._taken.retry_after_seconds if self._taken else None

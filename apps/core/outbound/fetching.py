"""Fetch: the only way out for an address somebody named. One policy, a blocking and an async face."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Histogram

from apps.core import tenancy
from apps.core.errors import DomainError
from apps.core.outbound import drivers
from apps.core.outbound.errors import AddressNotAllowed, HostUnavailable
from apps.core.outbound.exchange import exchange
from apps.core.outbound.operator import places_for, proxy
from apps.core.outbound.types import Fetch, Fetched, Policy
from apps.core.outbound.urls import Target, read
from apps.core.selectors.outbound_hosts import host_rules
from apps.core.services.breaker import Breaker, Broken
from apps.core.threads import in_thread

_SERVER_FAULT: Final = 500
logger = logging.getLogger(__name__)
requests_total = Counter(
    "chatsystem_outbound_requests_total", "Fetches by feature and how they ended", ["purpose", "outcome"]
)
blocked_total = Counter("chatsystem_outbound_blocked_total", "Fetches refused for their address", ["purpose"])
seconds = Histogram(
    "chatsystem_outbound_seconds",
    "Duration of fetches",
    ["purpose"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def fetch(wanted: Fetch) -> Fetched:
    """Fetch for the current organization; at most 10 s, 10 MiB and 3 redirects in all.

    Raises:
        AddressNotAllowed: the address, or where it leads, is not public, not allowed here or not well formed.
        HostUnavailable: no answer in time; trying later is right. Broken, one of them: it failed lately.
        FetchFailed: an answer of no use; FetchTooLarge, ContentTypeNotAllowed, TooManyRedirects say why.
    """
    organization_id = tenancy.current()
    with watched(wanted.purpose, organization_id):
        policy = policy_for(organization_id, wanted.purpose)
        breaker = breaker_of(read(wanted.url), organization_id)
        breaker.require_closed()
        try:
            answer = drivers.run(exchange(wanted, policy), policy.look_up)
        except HostUnavailable:
            breaker.failed()
            raise
        _tell(breaker, answer)
        return answer


async def fetch_async(wanted: Fetch) -> Fetched:
    """Do the same on the event loop."""
    organization_id = tenancy.current()
    with watched(wanted.purpose, organization_id):
        policy = await in_thread(policy_for, organization_id, wanted.purpose)
        breaker = breaker_of(read(wanted.url), organization_id)
        await in_thread(breaker.require_closed)
        try:
            answer = await drivers.run_async(exchange(wanted, policy), policy.look_up)
        except HostUnavailable:
            await in_thread(breaker.failed)
            raise
        await in_thread(_tell, breaker, answer)
        return answer


def policy_for(organization_id: UUID, purpose: str) -> Policy:
    """Return what holds for an organization: its hosts, the operator's proxy and places. One query."""
    return Policy(
        rules=host_rules(organization_id=organization_id), proxy=proxy(), places=places_for(purpose)
    )


def breaker_of(target: Target, organization_id: UUID) -> Breaker:
    """One for each organization and host: nobody closes a host for others."""
    return Breaker("outbound", f"{organization_id} {target.host}:{target.port}")


def _tell(breaker: Breaker, answer: Fetched) -> None:
    if answer.status >= _SERVER_FAULT:
        breaker.failed()
    else:
        breaker.succeeded()


@contextmanager
def watched(purpose: str, organization_id: UUID) -> Iterator[None]:
    """Count and log how it ended; never the address, which may hold a secret of its owner."""
    begun, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "done"
    except AddressNotAllowed:
        outcome = "blocked"
        blocked_total.labels(purpose).inc()
        logger.warning("outbound.blocked", extra={"purpose": purpose, "organization": str(organization_id)})
        raise
    except Broken:
        outcome = "broken"
        raise
    except DomainError as error:
        outcome = error.code.rpartition(".")[2]
        raise
    finally:
        requests_total.labels(purpose, outcome).inc()
        seconds.labels(purpose).observe(time.monotonic() - begun)

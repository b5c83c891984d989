"""The steps of sockets that open: each is done once for all that are there. After a restart everybody comes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.selectors import conversations, resuming, statuses
from apps.chat.selectors.resuming import Missed, Missing
from apps.chat.services import presence
from apps.chat.services.batcher import get_pool
from apps.chat.services.presence import Connection
from apps.chat.types import Shown
from apps.core import tenancy
from apps.core.errors import DomainError, TooManyRequests
from apps.core.gathering import Gathering
from apps.core.services import limits, places
from apps.core.services.limits import Bucket
from apps.core.services.places import Place
from apps.core.threads import in_thread

FULL_SECONDS = 30  # until a refused socket may find a place
Heads = dict[UUID, int]
One = TypeVar("One")


class _Placed(Protocol):
    """What belongs to an organization."""

    @property
    def organization_id(self) -> UUID: ...


Asker = TypeVar("Asker", bound=_Placed)


@dataclass(frozen=True)
class Entry:
    """Somebody at the door.

    Attributes:
        buckets: what its coming is counted by.
        has_room: this process holds fewer sockets of it than there are places.
    """

    principal: Principal
    buckets: Sequence[Bucket]
    place: Place
    has_room: bool


@dataclass(frozen=True)
class Standing:
    """What a client is told when it is in.

    Attributes:
        heads: the last sequence of each conversation it is in.
        sequence: the last one of its own stream.
        shown: what it shows of itself.
    """

    heads: Heads
    sequence: int
    shown: Shown


class Arrivals:
    """The steps of one event loop.

    Attributes:
        enter: counts the coming, takes a place and reads the heads; answers these, or why nobody is let in.
        look: reads what the client is told, after it hears its channels.
        appear: tells the watchers.
        resume: reads what the client missed while it was away.
    """

    def __init__(self) -> None:
        self.enter: Gathering[Entry, Heads | DomainError] = Gathering(lambda asked: in_thread(enter, asked))
        self.look: Gathering[Principal, Standing] = Gathering(lambda asked: in_thread(look, asked))
        self.appear: Gathering[Connection, None] = Gathering(lambda asked: in_thread(_appear, asked))
        self.resume: Gathering[Missing, Missed] = Gathering(_resume)


def enter(entries: Sequence[Entry]) -> list[Heads | DomainError]:
    """Return the heads of each who is let in, and the refusals of the others. Two round trips to Redis, one query."""
    taken = limits.take_each([one.buckets for one in entries])
    answers: list[Heads | DomainError] = [
        TooManyRequests(retry_after_seconds=told.retry_after_seconds or FULL_SECONDS) for told in taken
    ]
    allowed = [number for number, one in enumerate(entries) if taken[number].is_allowed and one.has_room]
    has_place = places.take_each([entries[number].place for number in allowed])
    inside = [number for number, has in zip(allowed, has_place, strict=True) if has]
    heads = by_organization([entries[number].principal for number in inside], conversations.heads_of)
    for number, its_heads in zip(inside, heads, strict=True):
        answers[number] = its_heads
    return answers


def look(principals: Sequence[Principal]) -> list[Standing]:
    """Return where each stands. Four queries for an organization."""
    return list(by_organization(principals, _look))


def _look(principals: Sequence[Principal]) -> Iterator[Standing]:
    heads, own = conversations.heads_of(principals), conversations.own_heads(principals)
    shown = statuses.shown_by({one.id for one in principals})
    for one, its_heads, sequence in zip(principals, heads, own, strict=True):
        yield Standing(its_heads, sequence, shown[one.id])


def by_organization(asked: Sequence[Asker], work: Callable[[Sequence[Asker]], Iterable[One]]) -> list[One]:
    """Return what the work answers for each, in their order; it is done once for those of an organization."""
    answers: dict[int, One] = {}
    for organization_id in {one.organization_id for one in asked}:
        places_of = [place for place, one in enumerate(asked) if one.organization_id == organization_id]
        with tenancy.use(organization_id):
            answers |= zip(places_of, work([asked[place] for place in places_of]), strict=True)
    return [answers[place] for place in range(len(asked))]


def _appear(connections: Sequence[Connection]) -> list[None]:
    presence.arrive(connections)
    return [None] * len(connections)


async def _resume(asked: Sequence[Missing]) -> list[Missed]:
    return await resuming.missed(await get_pool(), asked)


@lru_cache(maxsize=8)
def _arrivals_of(loop: asyncio.AbstractEventLoop) -> Arrivals:  # noqa: ARG001 - the key
    return Arrivals()


def get_arrivals() -> Arrivals:
    """Return the steps of the running event loop."""
    return _arrivals_of(asyncio.get_running_loop())

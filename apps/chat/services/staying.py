"""What open sockets do every half minute and at each sign of change, done once for all whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from apps.accounts.services import handshake
from apps.accounts.types import Principal
from apps.chat.selectors import conversations, statuses
from apps.chat.services import presence
from apps.chat.services.arriving import Heads, by_organization
from apps.chat.services.presence import Connection
from apps.chat.types import Shown
from apps.core.gathering import Gathering
from apps.core.realtime.rounds import Rounds
from apps.core.services import places
from apps.core.services.places import Place
from apps.core.threads import in_thread

RECHECK_SECONDS = 30


@dataclass(frozen=True)
class Stood:
    """Somebody whose access goes on.

    Attributes:
        principal: with its present rights.
        heads: the last sequence of each conversation it is in.
    """

    principal: Principal
    shown: Shown
    heads: Heads


@dataclass(frozen=True)
class Kept:
    """What ends by itself unless it is said again: that the connection is open, and its place."""

    connection: Connection
    place: Place


class Stays:
    """The steps of one event loop.

    Attributes:
        rounds: whose turn it is, each once in half a minute.
        look: reads rights and conversations again; None for one whose access ended.
        keep: says again that it is here.
    """

    def __init__(self) -> None:
        self.rounds = Rounds(RECHECK_SECONDS)
        self.look: Gathering[Principal, Stood | None] = Gathering(lambda asked: in_thread(look, asked))
        self.keep: Gathering[Kept, None] = Gathering(lambda asked: in_thread(_keep, asked))


def look(principals: Sequence[Principal]) -> list[Stood | None]:
    """Return where each stands now, in order.

    At most three queries for an organization beside those of `handshake.refresh_each`.
    """
    current = handshake.refresh_each(principals)
    stood = iter(by_organization([one for one in current if one is not None], _stand))
    return [next(stood) if one is not None else None for one in current]


def _stand(principals: Sequence[Principal]) -> Iterator[Stood]:
    shown = statuses.shown_by({one.id for one in principals})
    for one, heads in zip(principals, conversations.heads_of(principals), strict=True):
        yield Stood(one, shown[one.id], heads)


def _keep(asked: Sequence[Kept]) -> list[None]:
    presence.beat([one.connection for one in asked])
    places.take_each([one.place for one in asked])
    return [None] * len(asked)


@lru_cache(maxsize=8)
def _stays_of(loop: asyncio.AbstractEventLoop) -> Stays:  # noqa: ARG001 - the key
    return Stays()


def get_stays() -> Stays:
    """Return the steps of the running event loop."""
    return _stays_of(asyncio.get_running_loop())

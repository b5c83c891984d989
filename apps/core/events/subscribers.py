"""Who listens: inside the writer's transaction, or after the commit with a durable cursor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apps.core.events.types import DomainEvent

Handler = TypeVar("Handler", bound=Callable[[Any], None])


@dataclass(frozen=True)
class DurableConsumer:
    """A function with a cursor in the feed.

    Attributes:
        name: `app.function`, the key of its cursor: renaming it starts a new consumer.
        from_start: a new consumer reads the feed from its oldest kept row; otherwise it starts at the head.
    """

    name: str
    types: frozenset[str]
    handle: Callable[[Any], None]
    from_start: bool


_in_transaction: dict[str, list[Callable[[Any], None]]] = defaultdict(list)
_durable: dict[str, DurableConsumer] = {}


def in_transaction(*events: type[DomainEvent]) -> Callable[[Handler], Handler]:
    """Run the function in the writer's transaction, before the event has a number: SQL only, at most two statements.

    Not for events written by `send_batch` (`message.sent`), which has no Python in its transaction.
    """

    def register(handler: Handler) -> Handler:
        for event in events:
            if handler not in _in_transaction[event.type]:
                _in_transaction[event.type].append(handler)
        return handler

    return register


def after_commit(*events: type[DomainEvent], from_start: bool = True) -> Callable[[Handler], Handler]:
    """Run the function for each committed event, in feed order, at least once.

    It may be late and may run twice. Its database writes and the cursor commit together; an effect outside the
    database must carry a retry key.
    """

    def register(handler: Handler) -> Handler:
        name = f"{handler.__module__.split('.')[1]}.{handler.__name__}"
        _durable[name] = DurableConsumer(name, frozenset(event.type for event in events), handler, from_start)
        return handler

    return register


def run_in_transaction(event: DomainEvent) -> None:
    """Call the in-transaction subscribers of an event that is about to be recorded."""
    for handler in _in_transaction.get(event.type, ()):
        handler(event)


def durable_consumers() -> list[DurableConsumer]:
    """Return all durable consumers, by name."""
    return [_durable[name] for name in sorted(_durable)]

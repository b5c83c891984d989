"""An event and consumers that stand for those of an app."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction

from apps.core import tenancy
from apps.core.events import feed, log, subscribers
from apps.core.events.subscribers import DurableConsumer
from apps.core.events.types import Audience, DomainEvent
from apps.core.ids import uuid7
from apps.core.models import Consumer
from chatsystem.settings.parts.database import parse

ORGANIZATION = UUID(int=7)


@contextmanager
def platform_role() -> Iterator[None]:
    """Connect as the role of the relay, which may move the outbox; for tests that commit."""
    settings = connection.settings_dict
    app = settings["USER"]
    connection.close()
    settings["USER"] = parse(os.environ["CHATSYSTEM_DATABASE_PLATFORM_URL"])["USER"]
    try:
        yield
    finally:
        connection.close()
        settings["USER"] = app


@dataclass(frozen=True, kw_only=True)
class Ticked(DomainEvent):
    """A conversation heard a tick."""

    type: ClassVar[str] = "test.ticked"
    audience: ClassVar[Audience] = Audience.CONVERSATION

    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Noted(DomainEvent):
    """Something for consumers only."""

    type: ClassVar[str] = "test.noted"


def tick(stream: UUID | None = None, number: int = 0, kind: type[DomainEvent] = Ticked) -> Any:
    """Record one event in its own transaction."""
    values = {"number": number} if kind is Ticked else {}
    with tenancy.use(ORGANIZATION), transaction.atomic():
        return log.record(kind(organization_id=ORGANIZATION, stream_id=stream or uuid7(), **values))


@contextmanager
def consuming(handle: Callable[[Any], None], *, name: str = "test.consumer") -> Iterator[DurableConsumer]:
    """Declare a durable consumer of ticks with a cursor at the start of the feed."""
    consumer = DurableConsumer(name, frozenset({Ticked.type}), handle, from_start=True)
    subscribers._durable[name] = consumer
    Consumer.objects.create(name=name)
    try:
        yield consumer
    finally:
        del subscribers._durable[name]


def move() -> int:
    """Move what was recorded into the feed; return how much."""
    return len(feed.move_outbox())


def heard_numbers() -> tuple[list[int], Callable[[Any], None]]:
    """Return a list, and what hears ticks into it."""
    heard: list[int] = []
    return heard, lambda event: heard.append(event.number)

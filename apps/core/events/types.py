"""What an event is: a frozen dataclass with a type, a stream, and data every reader of the scope may see."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Self
from uuid import UUID

import orjson
from pydantic import TypeAdapter


class Audience(enum.Enum):
    """Who hears of an event over the socket."""

    CONVERSATION = "conversation"  # everyone with a seat; frame `event`
    PRINCIPAL = "principal"  # the devices of one principal; frame `notice`
    NOBODY = "nobody"  # consumers only


BASE_FIELDS = frozenset({"organization_id", "stream_id", "scope_id", "actor_id", "sequence", "recorded_at"})


class UnknownEventType(LookupError):
    """A stored event whose class is gone or was never loaded."""


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """Base of all events; subclasses add their data as fields and set `type`.

    Attributes:
        personal: fields (`message.body`) with words of the actor: emptied where the event has to be forgotten.
        forgets: it takes back what earlier events of its stream said; none of them is told from memory after it.
        people: fields (`message.sender`) where the actor stands, in the object of those: the database empties both.
        stream_id: conversation or principal whose counter numbers the event.
        sequence: gap-free in the stream, from 1; None until recorded.
        recorded_at: time of the recording transaction; None until recorded.
    """

    type: ClassVar[str] = ""
    audience: ClassVar[Audience] = Audience.NOBODY
    personal: ClassVar[tuple[str, ...]] = ()
    forgets: ClassVar[bool] = False
    people: ClassVar[tuple[str, ...]] = ()

    organization_id: UUID
    stream_id: UUID
    scope_id: UUID | None = None
    actor_id: UUID | None = None
    sequence: int | None = field(default=None, compare=False)
    recorded_at: datetime | None = field(default=None, compare=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.type:
            known = _registry.get(cls.type)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise TypeError(f"event type {cls.type!r} is taken by {known.__qualname__}")
            _registry[cls.type] = cls

    def data(self) -> dict[str, Any]:
        """Return the own fields: what lies in the log's payload and in the published frame."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in BASE_FIELDS}

    def payload(self) -> bytes:
        """Return `data` as JSON."""
        return orjson.dumps(self.data(), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def restore(cls, row: dict[str, Any]) -> Self:
        """Build the event from a row of log, outbox or feed."""
        values = {
            "organization_id": row["organization_id"],
            "stream_id": row["stream_id"],
            "scope_id": row["scope_id"],
            "actor_id": row["actor_id"],
            "sequence": row["sequence"],
            "recorded_at": row["created_at"],
            **row["payload"],
        }
        known = {f.name for f in dataclasses.fields(cls)}
        made: Self = _adapter(cls).validate_python(
            {name: value for name, value in values.items() if name in known}
        )
        return made


def _adapter(cls: type[DomainEvent]) -> TypeAdapter[Any]:
    """Return what reads a class; making one takes longer than most consumers."""
    found = _adapters.get(cls)
    if found is None:
        found = _adapters[cls] = TypeAdapter(cls)
    return found


_adapters: dict[type[DomainEvent], TypeAdapter[Any]] = {}
_registry: dict[str, type[DomainEvent]] = {}


def registered() -> Mapping[str, type[DomainEvent]]:
    """Return all event classes by type."""
    return MappingProxyType(_registry)


def restore(row: dict[str, Any]) -> DomainEvent:
    """Build the event of a stored row with its own class.

    Raises:
        UnknownEventType: no loaded class has this type.
    """
    try:
        cls = _registry[row["type"]]
    except KeyError as error:
        raise UnknownEventType(row["type"]) from error
    return cls.restore(row)

"""Events as socket frames, encoded once for every reader."""

from __future__ import annotations

from uuid import UUID

from apps.core.events.types import Audience, registered


def conversation_channel(conversation_id: UUID | str) -> str:
    """Return the Redis channel of a conversation."""
    return f"c:{conversation_id}"


def principal_channel(principal_id: UUID | str) -> str:
    """Return the Redis channel of one principal's devices."""
    return f"p:{principal_id}"


def encode(*, type: str, stream_id: UUID | str, sequence: int, payload: bytes) -> tuple[str, bytes] | None:  # noqa: A002
    """Return (channel, frame) of a stored event, or None when nobody hears of it.

    Args:
        payload: the event's data as JSON; it is spliced in, not parsed. All else needs no quoting: ids, numbers, and
            the name of a registered type.
    """
    cls = registered().get(type)
    if cls is None or cls.audience is Audience.NOBODY:
        return None
    if cls.audience is Audience.CONVERSATION:
        head = f'{{"frame":"event","conversation":"{stream_id}","sequence":{sequence},"type":"{type}","data":'
        return conversation_channel(stream_id), head.encode() + payload + b"}"
    head = f'{{"frame":"notice","sequence":{sequence},"type":"{type}","data":'
    return principal_channel(stream_id), head.encode() + payload + b"}"

"""Frames a client may send, parsed strictly; the AsyncAPI document describes the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.core.errors import InvalidInput

MOST_WATCHED = 200
MOST_RESUMED = 500
MOST_TOPIC = 200  # longer ones are refused by name, with the limit of a topic


class FrameInvalid(InvalidInput):
    """Not JSON, an unknown frame, an unknown or wrong field."""

    code = "socket.frame_invalid"
    message = _("The frame is not valid.")


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)
    ref: str = Field("", max_length=64)


class SendFrame(_Frame):
    """Store a message. `topic` is the name of a topic of the channel, made with its first message."""

    conversation: UUID
    body: str = ""
    client_key: str = Field(max_length=64)
    thread: UUID | None = None
    topic: str = Field("", max_length=MOST_TOPIC)
    attachments: tuple[UUID, ...] = Field((), max_length=50)
    priority: Literal["", "important", "urgent"] = ""
    confirm_mass_mention: bool = False


class ResumeFrame(_Frame):
    """Give me everything after these sequences; `notices` is the position in the own stream."""

    conversations: dict[UUID, int] = Field(default_factory=dict, max_length=MOST_RESUMED)
    notices: int | None = Field(None, ge=0)


class ReadFrame(_Frame):
    """Everything up to the sequence was seen.

    `place` limits that to a topic, a thread by its first message, or by the conversation's id its general topic.
    """

    conversation: UUID
    place: UUID | None = None
    sequence: int = Field(ge=0, lt=1 << 62)


class TypingFrame(_Frame):
    """The person is writing."""

    conversation: UUID
    thread: UUID | None = None


class WatchFrame(_Frame):
    """Presence for what is on screen; replaces the former list."""

    people: tuple[UUID, ...] = Field((), max_length=MOST_WATCHED)


class FollowFrame(_Frame):
    """Stream frames of a run after an id."""

    run: UUID
    after: int = Field(0, ge=0)


class UnfollowFrame(_Frame):
    """No more stream frames of a run."""

    run: UUID


class PingFrame(_Frame):
    """Are you there? `active`: the person did something since the last one."""

    active: bool = False


FRAMES: dict[str, type[_Frame]] = {
    "send": SendFrame,
    "resume": ResumeFrame,
    "read": ReadFrame,
    "typing": TypingFrame,
    "watch": WatchFrame,
    "follow": FollowFrame,
    "unfollow": UnfollowFrame,
    "ping": PingFrame,
}


@dataclass(frozen=True)
class Parsed:
    """A frame's name and content."""

    name: str
    frame: Any


def parse(text: str | bytes) -> Parsed:
    """Return the frame.

    Raises:
        FrameInvalid: with `ref` among its fields when the frame had one.
    """
    try:
        data = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise FrameInvalid(ref="") from error
    if not isinstance(data, dict):
        raise FrameInvalid(ref="")
    ref = data.get("ref")
    name = data.pop("frame", None)
    try:
        return Parsed(name, FRAMES[name].model_validate(data))
    except (KeyError, TypeError, ValidationError) as error:
        raise FrameInvalid(ref=ref if isinstance(ref, str) and len(ref) <= 64 else "") from error

"""Draws messages: their template is rendered once for each shape a message can have, and then only filled in.

A page shows eighty messages, and Django's templates take a millisecond for one. What is kept of a shape holds no
message, only the words between its parts; what is kept of a message is found by everything that it shows. So nothing
can be out of date or reach the wrong reader.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from html import escape
from types import NoneType
from typing import NamedTuple
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.core.templatetags.parts import moment

_SLOTS = (
    "id", "sequence", "sender", "sent", "version", "thread", "name", "face", "text", "around", "time", "link",
    "thread_link", "topic",
)  # fmt: skip
_SHORT = 2000  # characters; thousands of longer ones would take the memory of a process
_SAFE = (UUID, int, SafeString, NoneType)  # nothing in these can be escaped, and escaping is half of the work


class Shape(NamedTuple):
    """What decides which parts a message has.

    Attributes:
        is_hidden: deleted, until moderators decide; its author still reads it.
        is_target: the page was opened at it.
        in_thread: it stands among the replies, whose bar of actions leads to no thread.
        is_alone: it stands outside its conversation, where no line above it says the day.
        has_acts: the bar of actions stands below it.
    """

    language: str
    continues: bool
    mentions_me: bool
    is_deleted: bool
    is_hidden: bool
    is_target: bool
    in_thread: bool
    is_reply: bool
    is_mine: bool
    is_agent: bool
    is_guest: bool
    has_card: bool
    is_alone: bool
    has_acts: bool


def draw(shape: Shape, *, zone: str, sent_at: dt.datetime, place: str, **values: object) -> SafeString:
    """Return a message of this shape with a value in each slot; what is not marked as safe is escaped.

    Args:
        zone: the current one, in which the time is written.
        place: the address of the conversation.
        values: hashable; a page draws mostly what the one before has drawn, so short ones are kept for all they show,
            but those that stand alone: whether they say their day depends on today's.
    """
    is_short = len(str(values["text"])) + len(str(values["around"])) <= _SHORT
    return (_kept if is_short and not shape.is_alone else _fill)(shape, zone, sent_at, place, **values)


def _fill(shape: Shape, _zone: str, sent_at: dt.datetime, place: str, **values: object) -> SafeString:
    form = "stamp" if shape.is_alone else "time"
    values |= {"sent": sent_at.isoformat(), "time": moment(sent_at, form)}
    values |= {"link": f"{place}m/{values['id']}/", "thread_link": f"{place}t/{values['id']}/"}
    safe = {name: value if type(value) in _SAFE else escape(str(value)) for name, value in values.items()}
    return mark_safe(_pattern(shape) % safe)  # noqa: S308 - a template's, with escaped values


_kept = lru_cache(maxsize=4096, typed=True)(_fill)


@lru_cache(maxsize=512)
def _pattern(shape: Shape) -> str:
    """Return the template's text for `%`: Django never sees a value, and a value is never looked through."""
    marks = {name: f"\ue000{name}\ue001" for name in _SLOTS}
    if shape.in_thread:
        marks["thread_link"] = ""
    text = render_to_string("chat/parts/message_shape.html", {"shape": shape, **marks}).replace("%", "%%")
    for name, mark in marks.items():
        text = text.replace(mark, f"%({name})s") if mark else text
    return text

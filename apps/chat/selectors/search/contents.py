"""Operators over what a message carries and what the reader did with it: `has:`, `is:`, days, messages, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.chat.selectors import topics
from apps.chat.selectors.search.dates import SUGGESTED, read_moments
from apps.chat.selectors.search.operators import (
    HAS,
    IS,
    OPERATORS,
    Choice,
    Condition,
    Meaning,
    Misunderstood,
    Operator,
    Reader,
    Suggestion,
)
from apps.chat.selectors.search.people_and_places import in_conversations

AROUND = 25  # numbers of the conversation on each side of `near:`
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def sent(since: datetime | None, until: datetime | None) -> Condition:
    """Return the condition that a message is not from before `since`, and from before `until`."""
    return Condition("sent", tuple(moment.isoformat() if moment else "" for moment in (since, until)))


def _day(
    condition: Callable[[datetime, datetime], Condition],
) -> Callable[[Reader, str], Meaning | Misunderstood]:
    def resolve(_: Reader, value: str) -> Meaning | Misunderstood:
        moments = read_moments(value)
        return Meaning(condition(*moments), value) if moments else Misunderstood(SUGGESTED, is_date=True)

    return resolve


def _days(_: Reader, start: str) -> list[Suggestion]:
    return [Suggestion(value, value) for value in SUGGESTED[:2] if value.startswith(start.casefold())]


def _message(filter_name: str) -> Callable[[Reader, str], Meaning | Misunderstood]:
    """Return what an id, or a link to a message, means."""

    def resolve(_: Reader, value: str) -> Meaning | Misunderstood:
        ids = _ID.findall(value)
        if not ids:
            return Misunderstood(())
        return Meaning(Condition(filter_name, (str(UUID(ids[-1])), str(AROUND))), ids[-1])

    return resolve


def _file_named(_: Reader, value: str) -> Meaning:
    escaped = re.sub(r"([\\%_])", r"\\\1", value)
    return Meaning(Condition("file_name", (f"%{escaped}%",)), value)


def _nothing(_: Reader, __: str) -> list[Suggestion]:
    return []


def _flag(filter_name: str) -> Callable[[Reader], Condition]:
    return lambda _: Condition(filter_name)


def _unread(reader: Reader) -> Condition:
    return Condition("unread", tuple(str(view.id) for view in reader.own if view.unread))


def _starred(reader: Reader) -> Condition:
    return in_conversations(view for view in reader.own if view.is_starred)


def _muted(reader: Reader) -> Condition:
    return in_conversations(view for view in reader.own if view.is_muted)


def _followed(reader: Reader) -> Condition:
    wanted = topics.levels_of(reader.principal).values()
    return Condition("followed", tuple(str(pk) for levels in wanted for pk in levels.followed))


for _choice in (
    Choice(value="link", help=_("a link"), resolve=_flag("link")),
    Choice(value="image", aliases=("bild", "picture"), help=_("a picture"), resolve=_flag("image")),
    Choice(
        value="attachment",
        aliases=("file", "files", "datei", "dateien", "anhang"),
        help=_("a file"),
        resolve=_flag("attachment"),
    ),
    Choice(value="reaction", aliases=("reaktion",), help=_("a reaction"), resolve=_flag("reaction")),
):
    HAS.add(_choice)
for _choice in (
    Choice(value="unread", aliases=("ungelesen",), help=_("not read by you yet"), resolve=_unread),
    Choice(value="mentioned", aliases=("erwähnt",), help=_("mentions you"), resolve=_flag("mentioned")),
    Choice(value="saved", aliases=("gemerkt",), help=_("saved by you"), resolve=_flag("saved")),
    Choice(
        value="pinned",
        aliases=("angeheftet",),
        help=_("pinned in its conversation"),
        resolve=_flag("pinned"),
    ),
    Choice(
        value="starred",
        aliases=("markiert", "favorit"),
        help=_("in a conversation you starred"),
        resolve=_starred,
    ),
    Choice(value="muted", aliases=("stumm",), help=_("in a conversation you muted"), resolve=_muted),
    Choice(
        value="followed",
        aliases=("gefolgt", "verfolgt"),
        help=_("in a topic or thread you follow"),
        resolve=_followed,
    ),
    Choice(
        value="resolved",
        aliases=("gelöst", "erledigt"),
        help=_("in a topic that is resolved"),
        resolve=_flag("resolved"),
    ),
    Choice(
        value="reply", aliases=("antwort", "thread"), help=_("a reply in a thread"), resolve=_flag("reply")
    ),
    Choice(
        value="edited", aliases=("bearbeitet",), help=_("changed after it was sent"), resolve=_flag("edited")
    ),
):
    IS.add(_choice)


for _operator in (
    Operator(
        name="has",
        aliases=("mit",),
        example="link",
        help=_("with a link, picture, file or reaction"),
        chip=_("Has: %(name)s"),
        resolve=HAS.resolve,
        suggest=HAS.suggest,
    ),
    Operator(
        name="is",
        aliases=("ist",),
        example="unread",
        help=_("in a state, for you"),
        chip=_("Is: %(name)s"),
        resolve=IS.resolve,
        suggest=IS.suggest,
    ),
    Operator(
        name="before",
        aliases=("vor",),
        example="2026-11-24",
        help=_("from before a day, month or year"),
        chip=_("Before: %(name)s"),
        resolve=_day(lambda first, _: sent(None, first)),
        suggest=_days,
        is_for_messages=False,
    ),
    Operator(
        name="after",
        aliases=("nach", "since", "seit"),
        example="yesterday",
        help=_("from a day, month or year on"),
        chip=_("After: %(name)s"),
        resolve=_day(lambda first, _: sent(first, None)),
        suggest=_days,
        is_for_messages=False,
    ),
    Operator(
        name="on",
        aliases=("am", "during"),
        example="today",
        help=_("from one day, month or year"),
        chip=_("On: %(name)s"),
        resolve=_day(sent),
        suggest=_days,
        is_for_messages=False,
    ),
    Operator(
        name="file",
        aliases=("datei",),
        example="report",
        help=_("documents of such a title or file, and messages with such a file"),
        chip=_("File: %(name)s"),
        resolve=_file_named,
        suggest=_nothing,
        is_for_messages=False,
    ),
    Operator(
        name="near",
        aliases=("nahe",),
        example="…",
        help=_("around a message, by its link"),
        chip=_("Near: %(name)s"),
        resolve=_message("around"),
        suggest=_nothing,
    ),
    Operator(
        name="id",
        example="…",
        help=_("one message, by its link"),
        chip=_("Message: %(name)s"),
        resolve=_message("message"),
        suggest=_nothing,
    ),
):
    OPERATORS.add(_operator)

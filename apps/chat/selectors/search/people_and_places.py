"""Operators that name people and conversations: what a name means is what the reader may see under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors import people
from apps.chat.selectors.search.operators import (
    MOST_SUGGESTIONS,
    OPERATORS,
    Condition,
    Meaning,
    Operator,
    Reader,
    Suggestion,
)
from apps.chat.selectors.topics import find_visible
from apps.chat.types import ConversationView

MOST_TOPICS = 50  # of one name, or beginning so
ME = frozenset({"me", "mir", "mich"})


def in_conversations(found: Iterable[ConversationView]) -> Condition:
    """Return the condition that a message stands in one of these; nothing does where there are none."""
    return Condition("conversation", tuple(str(view.id) for view in found))


def _sender(reader: Reader, value: str) -> Meaning:
    name = value.lstrip("@").strip()
    if name.casefold() in ME:
        return Meaning(Condition("sender", (str(reader.id),)), value)
    found = people.find_by_name(principal=reader.principal, prefix=name)
    named = [person for person in found if person.name.casefold() == name.casefold()] or found
    ids = tuple(str(person.id) for person in named)
    label = ", ".join(person.name for person in named)
    return Meaning(Condition("sender", ids) if ids else None, label or value)


def _people(reader: Reader, start: str) -> list[Suggestion]:
    name = start.lstrip("@").strip()
    own = [Suggestion("me", "me", _("yourself"))] if "me".startswith(name.casefold()) else []
    found = people.find_by_name(principal=reader.principal, prefix=name, limit=MOST_SUGGESTIONS - len(own))
    return [*own, *(Suggestion(person.name, person.name, person.shown_title) for person in found)]


def _is_channel(view: ConversationView) -> bool:
    return view.kind == "channel"


def _anywhere(_: ConversationView) -> bool:
    return True


def _named(fits: Callable[[ConversationView], bool]) -> Callable[[Reader, str], Meaning]:
    """Return what a conversation's name means among those that fit: the exact one, else what begins so."""

    def resolve(reader: Reader, value: str) -> Meaning:
        name = value.lstrip("#").casefold()
        fitting = [view for view in reader.seen if fits(view)]
        exact = [view for view in fitting if view.name.casefold() == name]
        found = exact or [view for view in fitting if view.name.casefold().startswith(name)]
        label = ", ".join(view.name for view in found)
        return Meaning(in_conversations(found) if found else None, label or value)

    return resolve


def _names(fits: Callable[[ConversationView], bool]) -> Callable[[Reader, str], list[Suggestion]]:
    def suggest(reader: Reader, start: str) -> list[Suggestion]:
        begun = start.lstrip("#").casefold()
        found = [view for view in reader.seen if fits(view) and begun in view.name.casefold()]
        found.sort(key=lambda view: (not view.name.casefold().startswith(begun), view.name.casefold()))
        return [Suggestion(view.name, view.name, view.description) for view in found[:MOST_SUGGESTIONS]]

    return suggest


def _topic(reader: Reader, value: str) -> Meaning:
    """Return what a topic's name means: those of exactly this name in all channels, else those that begin so."""
    name = value.strip()
    found = find_visible(reader.principal, name, limit=MOST_TOPICS) if name else []
    named = [one for one in found if one[1].casefold() == name.casefold()] or found
    ids = tuple(str(pk) for pk, _name, _channel in named)
    label = ", ".join(dict.fromkeys(title for _pk, title, _channel in named))
    return Meaning(Condition("topic", ids) if ids else None, label or value)


def _topics(reader: Reader, start: str) -> list[Suggestion]:
    found = find_visible(reader.principal, start.strip(), limit=MOST_SUGGESTIONS)
    return [Suggestion(name, name, channel) for _pk, name, channel in found]


def _with_people(*, exactly: bool) -> Callable[[Reader, str], Meaning]:
    """Return what `anna, ben` means: direct and group conversations with these people, and with no others."""

    def resolve(reader: Reader, value: str) -> Meaning:
        wanted = [
            _ids(reader, name) for name in value.split(",") if name.strip().lstrip("@").casefold() not in ME
        ]
        talks = [view for view in reader.own if view.kind != "channel"]
        found = [view for view in talks if _fits(reader, view, wanted, exactly=exactly)]
        return Meaning(in_conversations(found) if found else None, value)

    return resolve


def _ids(reader: Reader, name: str) -> set[UUID]:
    wanted = name.strip().lstrip("@")
    found = people.find_by_name(principal=reader.principal, prefix=wanted) if wanted else []
    exact = [person for person in found if person.name.casefold() == wanted.casefold()]
    return {person.id for person in exact or found}


def _fits(reader: Reader, view: ConversationView, wanted: list[set[UUID]], *, exactly: bool) -> bool:
    present = {person.id for person in view.people} - {reader.id}
    if not all(ids & present for ids in wanted):
        return False
    return not exactly or present <= set[UUID]().union(*wanted)


OPERATORS.add(
    Operator(
        name="from",
        aliases=("sender", "von"),
        example="me",
        help=_("written by someone, or by you"),
        chip=_("From: %(name)s"),
        resolve=_sender,
        suggest=_people,
        is_any=True,
        is_for_messages=False,
    )
)
OPERATORS.add(
    Operator(
        name="in",
        example="general",
        help=_("in a channel or conversation"),
        chip=_("In: %(name)s"),
        resolve=_named(_anywhere),
        suggest=_names(_anywhere),
        is_any=True,
        is_for_messages=False,
    )
)
OPERATORS.add(
    Operator(
        name="channel",
        aliases=("kanal",),
        example="general",
        help=_("in a channel"),
        chip=_("Channel: %(name)s"),
        resolve=_named(_is_channel),
        suggest=_names(_is_channel),
        is_any=True,
        is_for_messages=False,
    )
)
OPERATORS.add(
    Operator(
        name="topic",
        aliases=("thema",),
        example="launch",
        help=_("in a topic of a channel"),
        chip=_("Topic: %(name)s"),
        resolve=_topic,
        suggest=_topics,
        is_any=True,
    )
)
OPERATORS.add(
    Operator(
        name="dm",
        aliases=("direkt",),
        example="anna",
        help=_("in the direct conversation with exactly these people"),
        chip=_("With: %(name)s"),
        resolve=_with_people(exactly=True),
        suggest=_people,
        is_any=True,
    )
)
OPERATORS.add(
    Operator(
        name="dm-including",
        aliases=("direkt-mit",),
        example="anna",
        help=_("in direct and group conversations that include someone"),
        chip=_("With, among others: %(name)s"),
        resolve=_with_people(exactly=False),
        suggest=_people,
        is_any=True,
    )
)

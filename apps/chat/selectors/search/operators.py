"""The operators of a search: one entry each, with how it is written, what its value means, and what could follow it.

An entry's condition names a function of the database (`search_filter_<name>`, made by a migration with
`core.migrations_support.search_filter`) that narrows the search statement from inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.selectors import conversations
from apps.chat.types import ConversationView
from apps.core.errors import Text

MOST_SUGGESTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """What a message must fulfil: the filter of the database, and the values it is given."""

    filter: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a value means to its reader: the condition, and how to call it. None: it fits nothing the reader may see."""

    condition: Condition | None
    label: str


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """A value that the operator does not know, and which ones it does."""

    suggestions: tuple[str, ...]
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that could stand behind an operator."""

    value: str
    label: str
    note: Text = ""


@dataclass(frozen=True)
class Reader:
    """Who searches. Conversations are read once, and only for operators that need them."""

    principal: Principal

    @property
    def id(self) -> UUID:
        """The person behind the search: whom the principal acts for, or itself."""
        return self.principal.on_behalf_of or self.principal.id

    @cached_property
    def own(self) -> list[ConversationView]:
        """The conversations the principal is in, archived ones too."""
        return conversations.list_conversations(self.principal, include_archived=True)

    @cached_property
    def seen(self) -> list[ConversationView]:
        """Those, and the channels it may look into."""
        found = {view.id: view for view in [*self.own, *conversations.list_channels(self.principal)]}
        return list(found.values())


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator.

    Attributes:
        aliases: other ways to write it.
        example: a value, for the help.
        help: what it finds, one sentence.
        chip: with %(name)s, for a filter as it was understood.
        resolve: what a value means; queries only where names have to be looked up.
        suggest: values that begin so.
        is_any: several of them mean any of them, not all.
        is_for_messages: only a message fulfils it: files and documents are left out.
    """

    name: str
    aliases: tuple[str, ...] = ()
    example: str
    help: Text
    chip: Text
    resolve: Callable[[Reader, str], Meaning | Misunderstood]
    suggest: Callable[[Reader, str], list[Suggestion]]
    is_any: bool = False
    is_for_messages: bool = True


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A fixed value of an operator such as `has:` or `is:`."""

    value: str
    aliases: tuple[str, ...] = ()
    help: Text
    resolve: Callable[[Reader], Condition]


@dataclass
class Choices:
    """The fixed values of one operator; an entry each, more can be added by whoever owns what they look at."""

    entries: dict[str, Choice] = field(default_factory=dict)
    _ways: dict[str, Choice] = field(default_factory=dict)

    def add(self, choice: Choice) -> None:
        """Make a value known."""
        self.entries[choice.value] = choice
        for way in (choice.value, *choice.aliases):
            self._ways[way.casefold()] = choice

    def resolve(self, reader: Reader, value: str) -> Meaning | Misunderstood:
        """Return what a value means."""
        choice = self._ways.get(value.casefold())
        if choice is None:
            return Misunderstood(tuple(self.entries))
        return Meaning(choice.resolve(reader), str(choice.help))

    def suggest(self, _: Reader, start: str) -> list[Suggestion]:
        """Return the values that begin so, in any way to write them."""
        begun = start.casefold()
        fitting = [
            choice
            for choice in self.entries.values()
            if any(way.casefold().startswith(begun) for way in (choice.value, *choice.aliases))
        ]
        return [Suggestion(choice.value, choice.value, choice.help) for choice in fitting]


class Operators:
    """All operators of the product, in the order of their help."""

    def __init__(self) -> None:
        self._entries: dict[str, Operator] = {}
        self.names: dict[str, str] = {}  # every way to write one, to its name

    def add(self, operator: Operator) -> None:
        """Make an operator known; a second one with the same name is a fault."""
        for way in (operator.name, *operator.aliases):
            if self.names.setdefault(way, operator.name) != operator.name:
                raise ValueError(way)
        self._entries[operator.name] = operator

    def __getitem__(self, name: str) -> Operator:
        return self._entries[name]

    def __iter__(self) -> Iterator[Operator]:
        return iter(self._entries.values())


OPERATORS: Final = Operators()
HAS: Final = Choices()
IS: Final = Choices()

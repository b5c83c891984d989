"""What operators ask of a search, as filters of the ranking or as demands on each message of a list.

Words with people, places and days are ranked, documents among them. What only messages have, or must not have, makes
the search a list of messages. Documents have a file, as messages have some: its name is ranked, or must not be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from apps.chat.selectors.search.contents import sent
from apps.chat.selectors.search.operators import Condition
from apps.chat.selectors.search.understanding import Demand, Understood
from apps.rag.text.query import ParsedQuery
from apps.rag.types import Chip, Filters, SourceType

_FILE: Final = "file"


def chip(one: Understood, text: str) -> Chip:
    """Return an operator as it was understood, for the answer."""
    return Chip(
        kind=one.term.name,
        text=text[one.term.start : one.term.end],
        label=one.label,
        is_known=one.condition is not None,
        is_negated=one.term.is_negated,
        start=one.term.start,
        end=one.term.end,
    )


def is_list(query: ParsedQuery, understood: Sequence[Understood], given: Filters) -> bool:
    """Return whether messages are listed: something only they can fulfil is asked, or neither a word nor a file."""
    files = [one for one in understood if one.term.name == _FILE]
    if any(one.is_for_messages or one.term.is_negated for one in understood if one not in files):
        return True
    if query.words or query.phrases:
        return False
    kinds = {one.condition for one in understood if one.term.name == "type"}
    only_messages = Condition("source", (SourceType.MESSAGE.value,))
    if given.sources and SourceType.MESSAGE not in given.sources:
        return False
    names_documents = not kinds and len(given.sources) != 1 and any(not one.term.is_negated for one in files)
    return bool(understood or query.excluded) and kinds <= {only_messages} and not names_documents


def narrowed(given: Filters, demands: Iterable[Demand]) -> Filters:
    """Return the filters with the demands of a ranked search: only names of files are negated, each can be a filter."""
    filters = given
    for demand in demands:
        values = demand.condition.values
        match demand.condition.filter:
            case "sender":
                filters = _any_of(filters, "authors", map(UUID, values))
            case "conversation":
                filters = _any_of(filters, "conversations", map(UUID, values))
            case "source":
                filters = _any_of(filters, "sources", map(SourceType, values))
            case "media_type":
                filters = _any_of(filters, "media_types", values)
            case "language":
                filters = _any_of(filters, "languages", values)
            case "file_name" if demand.is_negated:
                filters = replace(filters, not_file_names=(*filters.not_file_names, *values))
            case "file_name":
                filters = replace(filters, file_names=(*filters.file_names, *values))
            case "sent":
                filters = _within(
                    filters, *(dt.datetime.fromisoformat(one) if one else None for one in values)
                )
            case other:
                raise ValueError(other)
    return filters


def _any_of(filters: Filters, field: str, asked: Iterable[object]) -> Filters:
    """Narrow a field to the values that both allow; held ones that are empty allow everything."""
    held, wanted = getattr(filters, field), tuple(asked)
    both = tuple(one for one in wanted if one in held) if held else wanted
    changed: dict[str, Any] = {field: both}  # ids, or names of types
    return replace(filters, nothing=filters.nothing or not both, **changed)


def _within(filters: Filters, since: dt.datetime | None, until: dt.datetime | None) -> Filters:
    afters = [moment for moment in (filters.after, since) if moment]
    befores = [moment for moment in (filters.before, until) if moment]
    return replace(filters, after=max(afters) if afters else None, before=min(befores) if befores else None)


def demands_of(given: Filters) -> list[Demand] | None:
    """Return filters as demands on messages; None where no message fulfils them."""
    if given.nothing or given.documents or (given.sources and SourceType.MESSAGE not in given.sources):
        return None
    named: dict[str, Collection[object]] = {
        "sender": given.authors,
        "conversation": given.conversations,
        "media_type": given.media_types,
        "language": given.languages,
    }
    found = [
        Demand(Condition(name, tuple(str(value) for value in values)))
        for name, values in named.items()
        if values
    ]
    if given.after or given.before:
        found.append(Demand(sent(given.after, given.before)))
    if given.has_file:
        found.append(Demand(Condition("attachment")))
    return found

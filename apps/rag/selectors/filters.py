"""From the filters of a query to ids the searcher may see.

A name that fits nothing visible finds nothing, exactly as one that does not exist: filters are no way to look behind
the curtain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from apps.accounts.selectors import people
from apps.accounts.types import Principal
from apps.chat.selectors import conversations
from apps.rag.text.query import Operator, read_day
from apps.rag.types import Chip, Filters, SourceType

_ME: Final = frozenset({"me", "mir"})
_FILES: Final = frozenset({"file", "files", "attachment", "datei", "dateien", "anhang"})
_SOURCES: Final = {
    "message": SourceType.MESSAGE, "messages": SourceType.MESSAGE, "nachricht": SourceType.MESSAGE,
    "nachrichten": SourceType.MESSAGE, "document": SourceType.DOCUMENT, "documents": SourceType.DOCUMENT,
    "dokument": SourceType.DOCUMENT, "dokumente": SourceType.DOCUMENT,
}  # fmt: skip
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES: Final = {
    "pdf": ("application/pdf",),
    "docx": (f"{_OFFICE}wordprocessingml.document",),
    "word": (f"{_OFFICE}wordprocessingml.document",),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet",),
    "excel": (f"{_OFFICE}spreadsheetml.sheet",),
    "md": ("text/markdown",),
    "markdown": ("text/markdown",),
    "txt": ("text/plain",),
    "text": ("text/plain",),
    "html": ("text/html",),
    "csv": ("text/csv",),
}
_LANGUAGES: Final = {
    "de": "de",
    "deutsch": "de",
    "german": "de",
    "en": "en",
    "englisch": "en",
    "english": "en",
}


def resolve(
    *, principal: Principal, operators: Iterable[Operator], given: Filters
) -> tuple[Filters, list[Chip]]:
    """Return the filters of a query added to those given, and each one as it was understood.

    Several names of one kind mean any of them; different kinds must all hold. At most three queries.
    """
    resolver = _Resolver(principal, given)
    chips = [resolver.take(operator) for operator in operators]
    return resolver.filters, chips


class _Resolver:
    def __init__(self, principal: Principal, given: Filters) -> None:
        self.filters = given
        self._principal = principal
        self._conversations: list[tuple[UUID, str]] | None = None
        self._takers: dict[str, Callable[[str], str | None]] = {
            "from": self._from, "in": self._in, "before": self._before, "after": self._after, "has": self._has,
            "type": self._type, "language": self._language,
        }  # fmt: skip

    def take(self, operator: Operator) -> Chip:
        """Narrow the filters by one operator."""
        label = self._takers[operator.name](operator.value)
        return Chip(operator.name, operator.text, label or operator.value, is_known=label is not None)

    def _from(self, value: str) -> str | None:
        name = value.lstrip("@")
        if name.lower() in _ME:
            self._add("authors", [self._principal.on_behalf_of or self._principal.id])
            return value
        found = people.find_by_name(principal=self._principal, prefix=name)
        exact = [person for person in found if person.name.casefold() == name.casefold()]
        return self._named("authors", [(person.id, person.name) for person in exact or found])

    def _in(self, value: str) -> str | None:
        name = value.lstrip("#").casefold()
        if self._conversations is None:
            own = conversations.list_conversations(self._principal, include_archived=True)
            seen = {view.id: view.name for view in [*own, *conversations.list_channels(self._principal)]}
            self._conversations = list(seen.items())
        exact = [item for item in self._conversations if item[1].casefold() == name]
        near = [item for item in self._conversations if item[1].casefold().startswith(name)]
        return self._named("conversations", exact or near)

    def _before(self, value: str) -> str | None:
        if days := read_day(value, today=timezone.localdate()):
            self.filters = replace(self.filters, before=_earliest(self.filters.before, _midnight(days[0])))
        return value if days else None

    def _after(self, value: str) -> str | None:
        if days := read_day(value, today=timezone.localdate()):
            self.filters = replace(self.filters, after=_latest(self.filters.after, _midnight(days[0])))
        return value if days else None

    def _has(self, value: str) -> str | None:
        if value.lower() not in _FILES:
            return None
        self.filters = replace(self.filters, has_file=True)
        return value

    def _type(self, value: str) -> str | None:
        if source := _SOURCES.get(value.lower()):
            self._add("sources", [source])
        elif types := MEDIA_TYPES.get(value.lower()):
            self._add("media_types", types)
        else:
            return None
        return value

    def _language(self, value: str) -> str | None:
        language = _LANGUAGES.get(value.lower())
        if language:
            self._add("languages", [language])
        return language

    def _named(self, field: str, found: list[tuple[UUID, str]]) -> str | None:
        if not found:
            self.filters = replace(self.filters, nothing=True)
            return None
        self._add(field, [pk for pk, _ in found])
        return ", ".join(name for _, name in found)

    def _add(self, field: str, values: Iterable[Any]) -> None:  # ids, or names of types
        held = getattr(self.filters, field)
        narrowed: dict[str, Any] = {field: tuple(dict.fromkeys([*held, *values]))}
        self.filters = replace(self.filters, **narrowed)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def _earliest(one: dt.datetime | None, other: dt.datetime) -> dt.datetime:
    return min(one, other) if one else other


def _latest(one: dt.datetime | None, other: dt.datetime) -> dt.datetime:
    return max(one, other) if one else other

"""Look through an export and say what an import would do. Nothing is written but the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.chat.import_errors import SlackEntryRefused
from apps.chat.models import CustomEmoji, ImportedConversation, ImportedPerson
from apps.chat.services.slack.cast import addresses_of, members_among
from apps.chat.services.slack.emoji import as_emoji
from apps.chat.services.slack.export import SlackExport
from apps.chat.services.slack.kept import Pins, bookmarks_of
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.shapes import SlackMessage, SlackPlace, read_message, starts_thread
from apps.core import tenancy

MOST_LISTED = 2000


@dataclass
class _Seen:
    """Numbers of one conversation."""

    messages: int = 0
    threads: int = 0
    replies: int = 0
    reactions: int = 0
    pins: int = 0
    bookmarks: int = 0
    in_archive: int = 0
    linked: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass
class _Total(_Seen):
    """Numbers of all, and what is not known here."""

    authors: set[str] = field(default_factory=set)
    by_kind: Counter[str] = field(default_factory=Counter)


def survey(export: SlackExport, notes: Notes, *, beat: Callable[[int, int], object]) -> dict[str, Any]:
    """Return the report: people, conversations, messages, threads, files, and what is left out, in numbers.

    Args:
        beat: called with how many of how many conversations are done; raises to leave.
    """
    total = _Total()
    listed: list[dict[str, Any]] = []
    known = set(
        ImportedConversation.objects.filter(
            organization_id=tenancy.current(), source=export.source
        ).values_list("external_id", flat=True)
    )
    codes = CustomEmoji.objects.filter(organization_id=tenancy.current()).values_list("code", flat=True)
    looking = _Looking(export, notes, total, frozenset(codes))
    places = sorted(export.places.values(), key=lambda place: (place.kind, place.name.casefold()))
    for number, place in enumerate(places):
        seen = looking.at(place)
        total.by_kind[place.kind] += 1
        if place.is_named and len(listed) < MOST_LISTED:
            listed.append(_line(place, seen, is_known=place.id in known))
        beat(number + 1, len(places))
    people = _people(export, notes, total.authors)
    notes.flush()
    return {
        "people": people,
        "conversations": dict(total.by_kind),
        "known": len(known & set(export.places)),
        "messages": total.messages,
        "threads": total.threads,
        "replies": total.replies,
        "reactions": total.reactions,
        "pins": total.pins,
        "bookmarks": total.bookmarks,
        "files": {"in_archive": total.in_archive, "linked": total.linked, "bytes": total.bytes},
        "oldest": total.oldest.isoformat() if total.oldest else None,
        "newest": total.newest.isoformat() if total.newest else None,
        "channels": listed,
        "notes": dict(notes.counts.most_common()),
    }


class _Looking:
    def __init__(self, export: SlackExport, notes: Notes, total: _Total, own_emoji: frozenset[str]) -> None:
        self._export, self._notes, self._total, self._own_emoji = export, notes, total, own_emoji

    def at(self, place: SlackPlace) -> _Seen:
        """Look at one conversation."""
        seen = _Seen()
        roots: set[str] = set()
        stamps: set[str] = set()
        pins = Pins(place)
        for name in self._export.archive.days_of(place.folder):
            try:
                rows = self._export.archive.rows(name)
            except SlackEntryRefused as error:
                self._notes.add(error.reason, name)
                continue
            for number, row in enumerate(rows):
                message = read_message(row)
                if isinstance(message, str):
                    self._left_out(message, name, number)
                    continue
                if message.ts in stamps:
                    self._notes.add("slack.twice", place.said, message.ts)
                    continue
                stamps.add(message.ts)
                if starts_thread(row):
                    roots.add(message.ts)
                pins.add(message)
                self._message(place, message, seen, roots)
        seen.pins = self._pins(place, pins, stamps)
        links = bookmarks_of(place, self._notes)
        seen.bookmarks = len(links)
        _add(self._total, seen)
        return seen

    def _pins(self, place: SlackPlace, pins: Pins, stamps: set[str]) -> int:
        wanted = pins.all(self._notes)
        for ts in sorted(wanted.keys() - stamps):
            self._notes.add("slack.pin_missing", place.said, ts)
        return len(wanted.keys() & stamps)

    def _left_out(self, code: str, name: str, number: int) -> None:
        if code in ("slack.system_message", "slack.deleted"):
            self._notes.count(code)
        else:
            self._notes.add(code, name, str(number))

    def _message(self, place: SlackPlace, message: SlackMessage, seen: _Seen, roots: set[str]) -> None:
        seen.messages += 1
        seen.threads += message.ts in roots
        seen.oldest = min(seen.oldest or message.at, message.at)
        seen.newest = max(seen.newest or message.at, message.at)
        self._total.authors.add(message.author)
        if message.thread:
            seen.replies += 1
            if message.thread not in roots:
                self._notes.add("slack.thread_missing", place.said, message.ts)
        if message.is_repaired:
            self._notes.add("slack.text_repaired", place.said, message.ts)
        for name, people in message.reactions:
            seen.reactions += len(people)
            if as_emoji(name) is None and name not in self._own_emoji:
                self._notes.add("slack.emoji_unknown", place.said, message.ts, name)
        for file in message.files:
            entry = self._export.archive.find_file(file.id)
            if entry is not None:
                seen.in_archive += 1
                seen.bytes += entry.size_bytes
            elif file.is_gone or not file.address:
                self._notes.add("slack.file_gone", place.said, message.ts, file.name)
            else:
                seen.linked += 1
                self._notes.add("slack.file_linked", place.said, message.ts, file.name)


def _people(export: SlackExport, notes: Notes, authors: set[str]) -> dict[str, int]:
    """Count who is found by address, who will be made, and note who has none or is missing."""
    rows = ImportedPerson.objects.filter(organization_id=tenancy.current(), source=export.source)
    before = set(rows.values_list("external_id", flat=True))
    addresses = addresses_of(export.people.values())
    members = members_among(addresses.values())
    found: Counter[str] = Counter(known=0, matched=0, created=0, without_address=0, bots=0, missing=0)
    for person in export.people.values():
        if person.id in before:
            found["known"] += 1
        elif person.is_bot:
            found["bots"] += 1
        elif addresses.get(person.id) in members:
            found["matched"] += 1
        elif person.id in addresses:
            found["created"] += 1
            notes.add("slack.person_created", person.id, detail=person.name)
        else:
            found["without_address"] += 1
            notes.add("slack.person_without_address", person.id, detail=person.name)
    for author in sorted(authors - set(export.people) - before):
        is_bot = author.startswith("bot:")
        found["bots" if is_bot else "missing"] += 1
        if not is_bot:
            notes.add("slack.person_missing", author)
    return dict(found)


def _line(place: SlackPlace, seen: _Seen, *, is_known: bool) -> dict[str, Any]:
    return {
        "name": place.name,
        "is_private": place.kind == "private",
        "is_archived": place.is_archived,
        "is_known": is_known,
        "people": len(place.members),
        "messages": seen.messages,
        "threads": seen.threads,
        "files": seen.in_archive + seen.linked,
    }


def _add(total: _Seen, seen: _Seen) -> None:
    for name in (
        "messages",
        "threads",
        "replies",
        "reactions",
        "pins",
        "bookmarks",
        "in_archive",
        "linked",
        "bytes",
    ):
        setattr(total, name, getattr(total, name) + getattr(seen, name))
    if seen.oldest and seen.newest:
        total.oldest = min(total.oldest or seen.oldest, seen.oldest)
        total.newest = max(total.newest or seen.newest, seen.newest)

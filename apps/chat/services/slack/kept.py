"""What a conversation of an export keeps at hand: pinned messages and bookmarks.

What was taken once is not taken again, so a later export of the same workspace does not bring back what was taken down
or away here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.chat.errors import AddressInvalid
from apps.chat.models import ImportedConversation, Message
from apps.chat.services import bookmarks, pins
from apps.chat.services.slack.cast import Cast
from apps.chat.services.slack.notes import Notes
from apps.chat.services.slack.shapes import SlackMessage, SlackPin, SlackPlace


@dataclass(frozen=True)
class Link:
    """A bookmark that can be taken."""

    id: str
    title: str
    url: str


class Pins:
    """What is pinned in one conversation: its own row tells, and so do messages."""

    def __init__(self, place: SlackPlace) -> None:
        self._place = place
        self._found = {pin.ts: pin for pin in place.pins if pin.ts}

    def add(self, message: SlackMessage) -> None:
        """Look at a message of the conversation."""
        for place_id, pin in message.pins:
            if place_id == self._place.id:
                self._found.setdefault(pin.ts, pin)

    def all(self, notes: Notes) -> dict[str, SlackPin]:
        """Return the pins by `ts`; note those of things that are no message."""
        for number, pin in enumerate(self._place.pins):
            if not pin.ts:
                notes.add("slack.pin_of_no_message", self._place.said, detail=str(number))
        return dict(self._found)


def bookmarks_of(place: SlackPlace, notes: Notes) -> list[Link]:
    """Return the links of a conversation, each address once; note bookmarks that are none."""
    found: dict[str, Link] = {}
    for number, bookmark in enumerate(place.bookmarks or ()):
        try:
            url = bookmarks.clean_address(bookmark.address)
        except AddressInvalid:
            notes.add("slack.bookmark_refused", place.said, detail=bookmark.title or str(number))
            continue
        found.setdefault(url, Link(bookmark.id, bookmark.title, url))
    return list(found.values())


def take_pins(
    place: SlackPlace,
    known: ImportedConversation,
    wanted: Mapping[str, SlackPin],
    *,
    cast: Cast,
    notes: Notes,
    actor_id: UUID,
) -> int:
    """Pin what was pinned there; return how many pins of the conversation were taken, now and before."""
    with transaction.atomic():
        row = _lock(known)
        new = {place.client_key(ts): pin for ts, pin in wanted.items() if ts not in row.taken}
        stored = Message.objects.filter(
            organization_id=row.organization_id,
            conversation_id=row.conversation_id,
            client_key__in=new,
            deleted_at=None,
        )
        here = dict(stored.values_list("client_key", "pk"))
        history = {here[key]: _pin_of(pin, cast, actor_id) for key, pin in new.items() if key in here}
        refused = pins.pin_history(conversation_id=row.conversation_id, history=history)
        for key, pin in sorted(new.items()):
            if key not in here or here[key] in refused:
                notes.add(
                    "slack.pin_missing" if key not in here else "slack.too_many_pins", place.said, pin.ts
                )
            else:
                row.taken.append(pin.ts)
        row.save(update_fields=["taken"])
    return len(wanted.keys() & set(row.taken))


def take_bookmarks(place: SlackPlace, known: ImportedConversation, *, notes: Notes, actor_id: UUID) -> int:
    """Put the links at hand; return how many of the conversation's were taken, now and before."""
    links = bookmarks_of(place, notes)
    with transaction.atomic():
        row = _lock(known)
        for link in links:
            if link.id in row.taken:
                continue
            if bookmarks.add_history_link(
                conversation_id=row.conversation_id, url=link.url, title=link.title, actor_id=actor_id
            ):
                row.taken.append(link.id)
            else:
                notes.add("slack.too_many_bookmarks", place.said, detail=link.title)
        row.save(update_fields=["taken"])
    return sum(link.id in row.taken for link in links)


def _pin_of(pin: SlackPin, cast: Cast, actor_id: UUID) -> pins.PinOfBefore:
    person = cast.find(pin.by)
    return pins.PinOfBefore(at=pin.at or timezone.now(), by=person.id if person else actor_id)


def _lock(known: ImportedConversation) -> ImportedConversation:
    return ImportedConversation.objects.select_for_update(no_key=True).get(
        organization_id=known.organization_id, pk=known.pk
    )

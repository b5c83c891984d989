"""Messages in the index: short ones of one sender in a row share a chunk, long ones have several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.chat.selectors import indexing as spoken
from apps.chat.selectors.indexing import SpokenMessage
from apps.core.text.language import guess
from apps.rag.models import ChunkMessage
from apps.rag.services.storing import remove_messages, store_chunks
from apps.rag.text.chunking import cut
from apps.rag.types import GENERATED, ChunkDraft, PlacedMessage, SourceType

WIDTH = 8  # numbers of the conversation looked at on each side
PAUSE = timedelta(minutes=5)  # afterwards the same sender starts anew
MOST_MESSAGES = 6
MOST_CHARACTERS = 600  # of messages that share a chunk


@dataclass(eq=False)
class _Group:
    """Messages that share a chunk; the chunks that hold text of `replaces` go."""

    members: list[SpokenMessage]
    replaces: list[UUID] = field(default_factory=list)

    def takes(self, message: SpokenMessage) -> bool:
        """Return whether the message goes on where this group ends."""
        last = self.members[-1]
        length = sum(len(member.body) + 1 for member in self.members) + len(message.body)
        return (
            last.sender_id == message.sender_id
            and message.sent_at - last.sent_at <= PAUSE
            and len(self.members) < MOST_MESSAGES
            and length <= MOST_CHARACTERS
        )


def index_around(
    *, organization_id: UUID, conversation_id: UUID, sequence: int, default_language: str
) -> int:
    """Index what is missing among the messages around a number, joining the chunk before where that fits.

    Twice is harmless, and a gap that an edit or a deletion left heals. Returns how many chunks were stored.

    Args:
        default_language: de, en or simple, for texts that do not tell.
    """
    with transaction.atomic():
        around = spoken.spoken_around(
            organization_id=organization_id, conversation_id=conversation_id, sequence=sequence, width=WIDTH
        )
        return _index(organization_id, around, default_language)


def index_batch(*, organization_id: UUID, messages: Sequence[SpokenMessage], default_language: str) -> int:
    """Index those messages that have no chunk yet, in any number of conversations; return how many chunks were
    stored. For building the index anew."""
    ordered = sorted(messages, key=lambda message: (message.conversation_id, message.sequence))
    with transaction.atomic():
        return _index(organization_id, ordered, default_language)


def _index(organization_id: UUID, messages: Sequence[SpokenMessage], default_language: str) -> int:
    groups = _groups(messages, _stored(organization_id, messages))
    touched = [member.id for group in groups for member in group.members]
    if not touched:
        return 0
    # Locked and read again: an edit that is under way waits for this, or was seen.
    current = {
        message.id: message
        for message in spoken.lock_spoken(organization_id=organization_id, message_ids=touched)
    }
    if replaced := [pk for group in groups for pk in group.replaces]:
        remove_messages(organization_id=organization_id, message_ids=replaced)
    drafts = [
        draft
        for group in groups
        for draft in _drafts(
            organization_id,
            [current[member.id] for member in group.members if member.id in current],
            default_language,
        )
    ]
    return len(store_chunks(drafts))


def _stored(organization_id: UUID, messages: Iterable[SpokenMessage]) -> dict[UUID, set[UUID]]:
    """Return, for each message that has chunks, all messages that stand in them. One query."""
    own = ChunkMessage.objects.filter(
        organization_id=organization_id, message_id__in=[message.id for message in messages]
    )
    rows = ChunkMessage.objects.filter(organization_id=organization_id, chunk_id__in=own.values("chunk_id"))
    chunks: dict[int, set[UUID]] = defaultdict(set)
    for chunk_id, message_id in rows.values_list("chunk_id", "message_id"):
        chunks[chunk_id].add(message_id)
    beside: dict[UUID, set[UUID]] = defaultdict(set)
    for members in chunks.values():
        for message_id in members:
            beside[message_id] |= members
    return beside


def _groups(messages: Sequence[SpokenMessage], stored: dict[UUID, set[UUID]]) -> list[_Group]:
    """Return the groups that have to be stored: what is missing, with the chunk before it where that fits."""
    known = {message.id: message for message in messages}
    open_groups: dict[tuple[UUID, UUID | None], _Group | None] = {}
    found: list[_Group] = []
    for message in messages:
        place = (message.conversation_id, message.thread_id)
        group = open_groups.get(place)
        if beside := stored.get(message.id):
            if group is None or message not in group.members:
                open_groups[place] = _stored_group(beside, known)
            continue
        if not message.body.strip() and not message.files:
            continue
        if group is not None and not message.files and not group.members[0].files and group.takes(message):
            group.members.append(message)
            if group not in found:
                found.append(group)
        else:
            group = open_groups[place] = _Group([message])
            found.append(group)
    return found


def _stored_group(beside: set[UUID], known: dict[UUID, SpokenMessage]) -> _Group | None:
    """Return the stored chunk as a group that may grow, or None where a part of it is out of sight."""
    if not beside <= set(known):
        return None
    members = sorted((known[pk] for pk in beside), key=lambda message: message.sequence)
    return _Group(members, replaces=[member.id for member in members])


def _drafts(
    organization_id: UUID, members: Sequence[SpokenMessage], default_language: str
) -> list[ChunkDraft]:
    if not members:
        return []
    first, text, places = members[0], "", []
    for member in members:
        text += "\n" if text else ""
        places.append(PlacedMessage(member.id, len(text), len(text) + len(member.body)))
        text += member.body
    language = guess(text) or default_language
    pieces = cut(text, language=language) or []
    title = ", ".join(first.files)
    spans = [(piece.start, piece.end) for piece in pieces] or ([(0, 0)] if title else [])
    return [
        ChunkDraft(
            organization_id=organization_id,
            scope_id=first.scope_id,
            source_type=SourceType.MESSAGE,
            source_id=first.id,
            conversation_id=first.conversation_id,
            thread_id=first.thread_id,
            author_id=first.sender_id,
            is_generated=first.sender_kind in GENERATED,
            has_file=bool(first.files),
            ordinal=ordinal,
            start=start,
            end=end,
            title=title,
            body=text[start:end],
            language=language,
            time=first.sent_at,
            messages=tuple(_inside(places, start, end)),
        )
        for ordinal, (start, end) in enumerate(spans)
    ]


def _inside(places: Sequence[PlacedMessage], start: int, end: int) -> Iterable[PlacedMessage]:
    """Return the messages that stand between two places of the joined text, with offsets from `start` on."""
    for place in places:
        begin, stop = max(place.start, start), min(place.end, end)
        if begin < stop or place.start == place.end == start:
            yield PlacedMessage(place.message, begin - start, stop - start, begin - place.start)

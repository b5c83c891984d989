"""What a person said and did in conversations: counted, exported, and found for an erasure. Only its own words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from apps.chat.models import (
    Acknowledgement,
    Attachment,
    Bookmark,
    Conversation,
    CustomEmoji,
    DeletedMessage,
    Draft,
    Forward,
    Membership,
    Mention,
    Message,
    MessageRevision,
    PollVote,
    Reaction,
    Reminder,
    Report,
    SavedMessage,
    ScheduledMessage,
    Status,
    ThreadFollow,
    Topic,
)
from apps.core.data_subjects import Person

Row = Mapping[str, Any]
# A channel's description is of whoever set it first to what it is now; without an event, of who made the channel.
_DESCRIPTIONS = """
SELECT c.id FROM chat_conversation c WHERE c.organization_id = %(organization)s AND c.kind = 'channel'
AND c.description <> '' AND %(person)s = coalesce((SELECT e.actor_id FROM core_event e
  WHERE e.organization_id = c.organization_id
  AND e.stream_id = c.id AND e.type = 'conversation.updated' AND e.payload ->> 'description' = c.description
  ORDER BY e.sequence LIMIT 1), c.created_by_id)
"""


def messages_of(person: Person) -> QuerySet[Message]:
    """Return the person's messages, oldest first in each conversation."""
    rows = Message.objects.filter(organization_id=person.organization_id, sender_id=person.id)
    return rows.order_by("conversation_id", "sequence")


def count_messages(person: Person) -> int:
    """Return how many messages the person has."""
    return messages_of(person).order_by().count()


def export_messages(person: Person) -> Iterator[Row]:
    """Yield the person's messages with older texts and ids of files; texts they answer are ids."""
    revisions = _grouped(
        MessageRevision.objects.filter(organization_id=person.organization_id, message__sender_id=person.id),
        "version", "body", "created_at",
    )  # fmt: skip
    files = _grouped(
        Attachment.objects.filter(organization_id=person.organization_id, message__sender_id=person.id),
        "file_id",
    )
    kept = _grouped(
        DeletedMessage.objects.filter(organization_id=person.organization_id, message__sender_id=person.id),
        "body",
    )
    rows = messages_of(person).values(
        "id",
        "conversation_id",
        "sequence",
        "thread_id",
        "body",
        "version",
        "sent_at",
        "edited_at",
        "deleted_at",
    )
    for row in rows.iterator():
        yield {**row, "files": files.get(row["id"], []), "earlier": revisions.get(row["id"], []),
               "restorable": kept.get(row["id"], [])}  # fmt: skip


def count_mentions(person: Person) -> int:
    """Return how many messages mention the person."""
    return mentions_of(person).count()


def mentions_of(person: Person) -> QuerySet[Mention]:
    """Return where the person was mentioned."""
    return Mention.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_mentions(person: Person) -> Iterator[Row]:
    """Yield where others mentioned the person; what they said is theirs."""
    yield from mentions_of(person).order_by("pk").values("message_id", "conversation_id", "sequence")


def reactions_of(person: Person) -> QuerySet[Reaction]:
    """Return the person's reactions."""
    return Reaction.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_reactions(person: Person) -> Iterator[Row]:
    """Yield the person's reactions."""
    yield from reactions_of(person).order_by("pk").values("message_id", "emoji", "created_at")


def memberships_of(person: Person) -> QuerySet[Membership]:
    """Return where the person is or was a member."""
    return Membership.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_memberships(person: Person) -> Iterator[Row]:
    """Yield the person's conversations with its marks and preferences."""
    yield from (
        memberships_of(person)
        .order_by("pk")
        .values(
            "conversation_id", "conversation__kind", "conversation__name", "joined_at", "left_at",
            "last_read_sequence", "is_muted", "is_starred",
        )
    )  # fmt: skip


def drafts_of(person: Person) -> QuerySet[Draft]:
    """Return the person's drafts."""
    return Draft.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_drafts(person: Person) -> Iterator[Row]:
    """Yield the person's drafts."""
    yield from (
        drafts_of(person).order_by("pk").values("conversation_id", "thread_id", "topic", "body", "updated_at")
    )


def statuses_of(person: Person) -> QuerySet[Status]:
    """Return the person's status."""
    return Status.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_statuses(person: Person) -> Iterator[Row]:
    """Yield the person's status."""
    yield from statuses_of(person).values(
        "emoji", "text", "is_away", "expires_at", "shows_presence", "shows_typing"
    )


def thread_follows_of(person: Person) -> QuerySet[ThreadFollow]:
    """Return the person's stand to threads."""
    return ThreadFollow.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_thread_follows(person: Person) -> Iterator[Row]:
    """Yield the threads the person follows or left."""
    yield from thread_follows_of(person).order_by("pk").values("thread_id", "is_followed", "read_sequence")


def saved_by(person: Person) -> QuerySet[SavedMessage]:
    """Return what the person saved."""
    return SavedMessage.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_saved(person: Person) -> Iterator[Row]:
    """Yield what the person saved; what it says is its author's."""
    yield from saved_by(person).order_by("pk").values("message_id", "created_at")


def count_plans(person: Person) -> int:
    """Return how many messages and reminders the person planned."""
    mine = {"organization_id": person.organization_id, "principal_id": person.id}
    return ScheduledMessage.objects.filter(**mine).count() + Reminder.objects.filter(**mine).count()


def export_plans(person: Person) -> Iterator[Row]:
    """Yield the person's scheduled messages and reminders."""
    mine = {"organization_id": person.organization_id, "principal_id": person.id}
    yield from (
        ScheduledMessage.objects.filter(**mine)
        .order_by("pk")
        .values(
            "id",
            "conversation_id",
            "thread_id",
            "topic",
            "body",
            "send_at",
            "state",
            "failure_code",
            "message_id",
        )
    )
    yield from (
        Reminder.objects.filter(**mine)
        .order_by("pk")
        .values("id", "message_id", "note", "due_at", "repeat", "fired_at")
    )


def votes_of(person: Person) -> QuerySet[PollVote]:
    """Return the person's votes."""
    return PollVote.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_votes(person: Person) -> Iterator[Row]:
    """Yield the person's votes."""
    yield from votes_of(person).order_by("pk").values("poll__message_id", "option", "created_at")


def emoji_by(person: Person) -> QuerySet[CustomEmoji]:
    """Return the emoji the person added."""
    return CustomEmoji.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_emoji(person: Person) -> Iterator[Row]:
    """Yield the emoji the person added; the pictures are among its files."""
    yield from emoji_by(person).order_by("pk").values("code", "file_id", "created_at")


def acknowledgements_of(person: Person) -> QuerySet[Acknowledgement]:
    """Return the important messages the person said to have seen."""
    return Acknowledgement.objects.filter(organization_id=person.organization_id, principal_id=person.id)


def export_acknowledgements(person: Person) -> Iterator[Row]:
    """Yield the important messages the person said to have seen."""
    yield from acknowledgements_of(person).order_by("pk").values("message_id", "created_at")


def bookmarks_by(person: Person) -> QuerySet[Bookmark]:
    """Return the bookmarks the person put into conversations."""
    return Bookmark.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def export_bookmarks(person: Person) -> Iterator[Row]:
    """Yield the bookmarks the person put into conversations."""
    yield from bookmarks_by(person).order_by("pk").values("conversation_id", "title", "url", "file_id")


def copies_of(person: Person) -> QuerySet[Forward]:
    """Return where others forwarded the person's words."""
    return Forward.objects.filter(organization_id=person.organization_id, author_id=person.id)


def export_copies(person: Person) -> Iterator[Row]:
    """Yield where others forwarded the person's words; the words themselves are among its messages."""
    yield from copies_of(person).order_by("pk").values("message_id", "created_at")


def descriptions_by(person: Person) -> list[UUID]:
    """Return the channels whose present description the person wrote."""
    with connection.cursor() as cursor:
        cursor.execute(_DESCRIPTIONS, {"organization": person.organization_id, "person": person.id})
        return [pk for (pk,) in cursor.fetchall()]


def conversations_made(person: Person) -> QuerySet[Conversation]:
    """Return the conversations the person made."""
    return Conversation.objects.filter(organization_id=person.organization_id, created_by_id=person.id)


def count_traces(person: Person) -> int:
    """Return how many conversations the person made or whose description it wrote."""
    rows = Conversation.objects.filter(
        Q(pk__in=descriptions_by(person)) | Q(pk__in=conversations_made(person).values("pk"))
    )
    return rows.count()


def export_conversations(person: Person) -> Iterator[Row]:
    """Yield the channels the person made, the descriptions it wrote, and the topics it began."""
    written = set(descriptions_by(person))
    rows = Conversation.objects.filter(Q(pk__in=written) | Q(pk__in=conversations_made(person).values("pk")))
    for row in rows.order_by("pk").values("id", "kind", "name", "description", "created_by_id", "created_at"):
        yield {
            "id": row["id"],
            "kind": row["kind"],
            "name": row["name"],
            "description": row["description"] if row["id"] in written else "",
            "made_it": row["created_by_id"] == person.id,
            "created_at": row["created_at"],
        }
    begun = Topic.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    for topic in begun.order_by("pk").values("id", "conversation_id", "name", "created_at"):
        yield {**topic, "kind": "topic"}


def conversations_with(person: Person) -> list[UUID]:
    """Return the conversations that hold something of the person: where it wrote, reacted or is a member."""
    written = messages_of(person).order_by().values_list("conversation_id", flat=True).distinct()
    joined = memberships_of(person).values_list("conversation_id", flat=True)
    return sorted({*written, *joined})


def names_of(organization_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what these conversations are called; direct ones by their kind."""
    rows = Conversation.objects.filter(organization_id=organization_id, pk__in=ids)
    return {pk: name or kind for pk, name, kind in rows.values_list("pk", "name", "kind")}


def channel_names(organization_id: UUID) -> dict[UUID, str]:
    """Return all channels of an organization, by name."""
    rows = Conversation.objects.filter(organization_id=organization_id, kind="channel")
    return dict(rows.order_by(Lower("name"), "pk").values_list("pk", "name"))


def written_by(*, person: Person, among: Collection[UUID]) -> set[UUID]:
    """Return those of these messages that the person wrote."""
    rows = Message.objects.filter(organization_id=person.organization_id, sender_id=person.id, pk__in=among)
    return set(rows.values_list("pk", flat=True))


def lines_of(person: Person, *, least: int, most: int) -> list[str]:
    """Return lines of the person's messages that are long enough to be told from others', the newest first."""
    found: dict[str, None] = {}
    for body in messages_of(person).order_by("-pk").values_list("body", flat=True)[: most * 4]:
        for line in body.split("\n"):
            if len(line.strip()) >= least:
                found[line.strip()] = None
        if len(found) >= most:
            break
    return list(found)[:most]


def _grouped(rows: QuerySet[Any], *fields: str) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in rows.order_by("pk").values("message_id", *fields):
        message_id = row.pop("message_id")
        grouped.setdefault(message_id, []).append(row if len(fields) > 1 else row[fields[0]])
    return grouped


def reports_of(person: Person) -> QuerySet[Report]:
    """Return the reports the person made."""
    return Report.objects.filter(organization_id=person.organization_id, reporter_id=person.id)


def export_reports(person: Person) -> Iterator[Row]:
    """Yield which messages the person reported, why, and with which note."""
    yield from (
        reports_of(person)
        .order_by("pk")
        .values("id", "message_id", "reason", "note", "created_at")
        .iterator()
    )

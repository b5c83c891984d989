"""Erase what a person kept, planned and chose: follows, saved messages, plans, votes, and copies of its words."""

from __future__ import annotations

from typing import Any

from apps.chat import events
from apps.chat.models import (
    Acknowledgement,
    Bookmark,
    CustomEmoji,
    DeletedMessage,
    Forward,
    Message,
    Poll,
    PollVote,
    Reminder,
    SavedMessage,
    ScheduledMessage,
    ThreadFollow,
)
from apps.chat.rendering.markdown import render_plain
from apps.chat.services import polls
from apps.chat.services.forgetting import forget_log
from apps.chat.services.standing import lock_message
from apps.core.data_subjects import Batch, Person
from apps.core.events import log

_SMALL_BATCH = 200  # each row has an event of its own


def erase_thread_follows_of(person: Person, _cursor: Any) -> Batch:
    """Forget which threads the person follows."""
    rows = ThreadFollow.objects.filter(organization_id=person.organization_id, principal_id=person.id)
    return Batch(rows.delete()[0])


def erase_saved_of(person: Person, _cursor: Any) -> Batch:
    """Forget what the person saved."""
    return Batch(
        SavedMessage.objects.filter(organization_id=person.organization_id, principal_id=person.id).delete()[
            0
        ]
    )


def erase_plans_of(person: Person, _cursor: Any) -> Batch:
    """Delete what the person planned to send, and its reminders."""
    mine = {"organization_id": person.organization_id, "principal_id": person.id}
    return Batch(
        ScheduledMessage.objects.filter(**mine).delete()[0] + Reminder.objects.filter(**mine).delete()[0]
    )


def erase_acknowledgements_of(person: Person, _cursor: Any) -> Batch:
    """Take the next acknowledgements of the person back."""
    rows = list(
        Acknowledgement.objects.filter(organization_id=person.organization_id, principal_id=person.id)
        .select_related("message")
        .order_by("pk")[:_SMALL_BATCH]
    )
    Acknowledgement.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        log.record(
            events.AcknowledgementWithdrawn(
                organization_id=row.organization_id,
                stream_id=row.message.conversation_id,
                scope_id=row.message.scope_id,
                actor_id=person.id,
                message_id=row.message_id,
                principal_id=person.id,
            )
        )
    return Batch(len(rows), "more" if rows else None)


def erase_bookmarks_of(person: Person, _cursor: Any) -> Batch:
    """Forget who put bookmarks there; they are the conversation's."""
    rows = Bookmark.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    return Batch(rows.update(created_by_id=person.placeholder_id))


def erase_copies_of(person: Person, _cursor: Any) -> Batch:
    """Empty the next copies of the person's words in messages of others; what these wrote above them stays."""
    rows = list(
        Forward.objects.filter(organization_id=person.organization_id, author_id=person.id)
        .select_related("message")
        .order_by("pk")[:_SMALL_BATCH]
    )
    for row in rows:
        _forget_copy(row.message, row.comment)
    Forward.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return Batch(len(rows), "more" if rows else None)


def _forget_copy(message: Message, comment: str) -> None:
    forget_log(message)
    DeletedMessage.objects.filter(message_id=message.pk).delete()
    if message.deleted_at is not None:
        return
    message.body, message.html, message.card = comment, render_plain(comment).html, None
    message.version += 1
    message.save(update_fields=["body", "html", "card", "version"])
    log.record(
        events.CardChanged(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            message_id=message.pk,
            card=None,
            body=message.body,
            html=message.html,
            version=message.version,
        )
    )


def erase_emoji_of(person: Person, _cursor: Any) -> Batch:
    """Take the person's emoji away; their pictures are among its files."""
    rows = CustomEmoji.objects.filter(organization_id=person.organization_id, created_by_id=person.id)
    return Batch(rows.delete()[0])


def erase_votes_of(person: Person, _cursor: Any) -> Batch:
    """Take the person's votes back from the next polls; their counts change."""
    mine = PollVote.objects.filter(organization_id=person.organization_id, principal_id=person.id)
    found = list(mine.order_by("poll_id").values_list("poll_id", flat=True).distinct()[:_SMALL_BATCH])
    for poll in Poll.objects.filter(pk__in=found):
        message = lock_message(Message.objects.filter(pk=poll.message_id))
        mine.filter(poll_id=poll.pk).delete()
        if message is not None and message.deleted_at is None:
            forget_log(message)
            polls.recount(message, poll, actor_id=None)
    return Batch(len(found), "more" if found else None)

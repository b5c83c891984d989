"""Following threads: by oneself, by taking part, by being mentioned; and how far one has read in them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.accounts.types import Principal
from apps.chat import events
from apps.chat.errors import MessageNotFound
from apps.chat.models import Message, ThreadFollow
from apps.chat.selectors.conversations import member_ids
from apps.chat.selectors.messages import visible_messages
from apps.core.events import log
from apps.core.ids import uuid7
from apps.notify.selectors import levels
from apps.notify.services import preferences
from apps.notify.types import ALL

# A reply of one's own is read, and brings back a thread one had left, unless one said to hear less of it than that; an
# event that comes a second time does neither.
_TAKE_PART = """
INSERT INTO chat_threadfollow
  (id, created_at, organization_id, conversation_id, thread_id, principal_id, is_followed, read_sequence)
VALUES (%(id)s, now(), %(organization)s, %(conversation)s, %(thread)s, %(sender)s, true, %(sequence)s)
ON CONFLICT (thread_id, principal_id) DO UPDATE
  SET is_followed = chat_threadfollow.is_followed OR %(comes_back)s, read_sequence = EXCLUDED.read_sequence
  WHERE chat_threadfollow.read_sequence < EXCLUDED.read_sequence
"""


def set_followed(*, principal: Principal, message_id: UUID, is_followed: bool) -> None:
    """Follow the thread of a message, or leave it; twice is harmless. A level of its own that says otherwise goes.

    Raises:
        MessageNotFound: missing, not visible, or itself a reply.
    """
    with transaction.atomic():
        root = _root(principal, message_id)
        _stand(root, principal_id=principal.id, member_id=principal.member_id, is_followed=is_followed)
        level = levels.level_of(principal, _place(root.pk))
        if level and (level == ALL) != is_followed:
            preferences.set_level(principal, place=_place(root.pk), level="")


def follow_by_level(
    *, organization_id: UUID, member_id: UUID, principal_id: UUID, thread_id: UUID, level: str
) -> None:
    """Follow a thread of which somebody chose to hear every reply, leave one of which it wants to hear less."""
    root = Message.objects.get(organization_id=organization_id, pk=thread_id)
    _stand(root, principal_id=principal_id, member_id=member_id, is_followed=level == ALL)


def _stand(root: Message, *, principal_id: UUID, member_id: UUID, is_followed: bool) -> None:
    row, created = ThreadFollow.objects.select_for_update(no_key=True).get_or_create(
        thread_id=root.pk,
        principal_id=principal_id,
        defaults={
            "organization_id": root.organization_id,
            "conversation_id": root.conversation_id,
            "is_followed": is_followed,
            "read_sequence": _last_sequence(root.pk),
        },
    )
    if not created and row.is_followed == is_followed:
        return
    row.is_followed = is_followed
    row.save(update_fields=["is_followed"])
    _tell(row, member_id=member_id)


def mark_read(*, principal: Principal, message_id: UUID, sequence: int) -> None:
    """Note that a follower has seen the replies up to `sequence`; a lower number, or no follower, changes nothing.

    Whoever takes part follows once the events of its messages were worked on; who reads before that follows from here,
    or what was seen would be new for ever.

    Raises:
        MessageNotFound.
    """
    with transaction.atomic():
        root = _root(principal, message_id)
        seen = min(sequence, _last_sequence(root.pk))
        rows = ThreadFollow.objects.select_for_update(no_key=True)
        row = rows.filter(thread_id=root.pk, principal_id=principal.id).first()
        if row is None and _takes_part(principal, root):
            row, _ = rows.get_or_create(
                thread_id=root.pk,
                principal_id=principal.id,
                defaults={
                    "organization_id": principal.organization_id,
                    "conversation_id": root.conversation_id,
                },
            )
        if row is None or row.read_sequence >= seen:
            return
        row.read_sequence = seen
        row.save(update_fields=["read_sequence"])
        _tell(row, member_id=principal.member_id)


def follow_by_taking_part(
    *,
    organization_id: UUID,
    conversation_id: UUID,
    message_id: UUID,
    sequence: int,
    sender_id: UUID,
    thread: UUID | None,
    mentions: Iterable[UUID],
) -> None:
    """Whoever replies, whose message is replied to, and whoever is mentioned by name follows the thread from now on."""
    named = [one for one in mentions if one != sender_id]
    if thread is None and not named:
        return
    row = {
        "organization_id": organization_id,
        "conversation_id": conversation_id,
        "thread_id": thread or message_id,
    }
    unread = dict.fromkeys(member_ids(conversation_id=conversation_id, among=named), sequence - 1)
    if thread is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                _TAKE_PART,
                {
                    "id": uuid7(), "organization": organization_id, "conversation": conversation_id,
                    "thread": thread, "sender": sender_id, "sequence": sequence,
                    "comes_back": not _wants_less(sender_id, thread),
                },
            )  # fmt: skip
        author = Message.objects.filter(pk=thread).values_list("sender_id", flat=True).first()
        if author is not None and author != sender_id:
            unread.setdefault(author, sequence - 1)
    ThreadFollow.objects.bulk_create(
        [ThreadFollow(**row, principal_id=one, read_sequence=read) for one, read in unread.items()],
        ignore_conflicts=True,
    )


def follow_by_mention(*, organization_id: UUID, message_id: UUID, mentions: Iterable[UUID]) -> None:
    """Whoever a stored message mentions by name follows its thread from now on."""
    message = Message.objects.filter(organization_id=organization_id, pk=message_id, deleted_at=None).first()
    if message is None:
        return
    ThreadFollow.objects.bulk_create(
        [
            ThreadFollow(
                organization_id=organization_id,
                conversation_id=message.conversation_id,
                thread_id=message.thread_id or message.pk,
                principal_id=one,
                read_sequence=message.sequence - 1,
            )
            for one in member_ids(conversation_id=message.conversation_id, among=mentions)
        ],
        ignore_conflicts=True,
    )


def _root(principal: Principal, message_id: UUID) -> Message:
    root = visible_messages(principal).filter(pk=message_id, thread_id=None).first()
    if root is None:
        raise MessageNotFound
    return root


def _takes_part(principal: Principal, root: Message) -> bool:
    """Return whether events still on their way make the principal a follower."""
    if root.sender_id == principal.id or principal.id in root.mentions:
        return True
    replies = Message.objects.filter(thread_id=root.pk, deleted_at=None)
    return replies.filter(Q(sender_id=principal.id) | Q(mentions__contains=[principal.id])).exists()


def _last_sequence(thread_id: UUID) -> int:
    rows = Message.objects.filter(thread_id=thread_id).order_by("-sequence")
    return rows.values_list("sequence", flat=True).first() or 0


def _place(thread_id: UUID) -> str:
    return f"thread:{thread_id}"


def _wants_less(principal_id: UUID, thread_id: UUID) -> bool:
    """Return whether somebody said to hear only mentions of a thread, or nothing."""
    chosen = levels.levels_at((_place(thread_id),), among=(principal_id,)).get(principal_id)
    return chosen is not None and chosen.level != ALL


def _tell(row: ThreadFollow, *, member_id: UUID) -> None:
    log.record(
        events.ThreadFollowChanged(
            organization_id=row.organization_id,
            stream_id=member_id,
            actor_id=row.principal_id,
            conversation=row.conversation_id,
            thread=row.thread_id,
            is_followed=row.is_followed,
            read_sequence=row.read_sequence,
        )
    )

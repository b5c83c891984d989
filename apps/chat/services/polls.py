"""Polls: asked as a message, voted on, closed. The card of the message always holds the counts of the rows."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from apps.accounts.services import access
from apps.accounts.types import InScope, Principal
from apps.chat import events
from apps.chat.errors import MessageDeleted, NotTheAuthor, PollClosed, PollInvalid, PollNotFound
from apps.chat.models import Message, Poll, PollVote
from apps.chat.rendering.markdown import without_mentions
from apps.chat.selectors.conversations import get_conversation
from apps.chat.services import composing
from apps.chat.services.messages import lock_visible_message, require_open, send_messages
from apps.chat.types import Card, SentMessage
from apps.core.errors import DomainError
from apps.core.events import log
from apps.core.ids import uuid7

CARD = "chat.poll"
FEWEST, MOST = 2, 20
MOST_NAMED = (
    50  # of those who chose one answer: as many as are shown, so that a vote in a big poll is no long event
)
LONGEST_QUESTION, LONGEST_OPTION = 300, 200
_MARKUP = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>#|~"})


@dataclasses.dataclass(frozen=True)
class _Tally:
    """What was chosen: votes of each answer, the first who chose it, and how many people voted at all."""

    votes: dict[int, int] = dataclasses.field(default_factory=dict)
    first: dict[int, list[str]] = dataclasses.field(default_factory=dict)
    people: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewPoll:
    """What is asked.

    Attributes:
        is_multiple: more than one answer may be chosen.
        is_anonymous: only counts are shown.
    """

    question: str
    options: Sequence[str]
    is_multiple: bool = False
    is_anonymous: bool = False


def create_poll(
    *,
    principal: Principal,
    conversation_id: UUID,
    poll: NewPoll,
    client_key: str,
    thread: UUID | None = None,
    topic: str = "",
) -> SentMessage:
    """Ask in a conversation; in a topic as `send_message` does.

    Raises:
        PollInvalid: no question, fewer than 2 or more than 20 answers, a double or too long one; and what
            `send_message` raises.
    """
    access.require(principal, "message.send")
    get_conversation(principal, conversation_id)  # who does not see it learns nothing of what fits there
    question, options = _cleaned(poll)
    row = Poll(
        id=uuid7(), organization_id=principal.organization_id, question=question, options=options,
        is_multiple=poll.is_multiple, is_anonymous=poll.is_anonymous,
    )  # fmt: skip
    lines = [f"**{_plain(question)}**", "", *(f"- {_plain(option)}" for option in options)]
    draft = composing.compose(
        principal=principal,
        conversation_id=conversation_id,
        body="\n".join(lines),
        client_key=client_key,
        thread=thread,
        topic=topic,
        card=Card(CARD, str(row.pk), _data(row, _Tally())),
    )
    with transaction.atomic():
        (sent,) = send_messages([draft])
        if isinstance(sent, DomainError):
            raise sent
        if not sent.repeated:
            row.message_id = sent.id
            row.save(force_insert=True)
    return sent


def vote(*, principal: Principal, message_id: UUID, options: Sequence[int]) -> None:
    """Make these the principal's choices; none takes the vote back. The same ones again change nothing.

    Raises:
        MessageNotFound, PollNotFound, PollClosed, PollInvalid: no such answer, or more than one where one is asked.
        NotAMember, ConversationArchived.
    """
    with transaction.atomic():
        message, poll = _lock(principal, message_id)
        wanted = set(options)
        if poll.closed_at is not None:
            raise PollClosed
        if not wanted <= set(range(len(poll.options))) or (len(wanted) > 1 and not poll.is_multiple):
            raise PollInvalid
        own = PollVote.objects.filter(poll_id=poll.pk, principal_id=principal.id)
        before = set(own.values_list("option", flat=True))
        if wanted == before:
            return
        own.filter(option__in=before - wanted).delete()
        PollVote.objects.bulk_create(
            PollVote(
                organization_id=poll.organization_id,
                poll_id=poll.pk,
                option=option,
                principal_id=principal.id,
            )
            for option in sorted(wanted - before)
        )
        recount(message, poll, actor_id=principal.id)


def toggle(*, principal: Principal, message_id: UUID, option: int) -> None:
    """Choose an answer, or take it back; where one is asked it replaces the other.

    Raises:
        What `vote` raises.
    """
    with transaction.atomic():
        _, poll = _lock(principal, message_id)
        own = set(
            PollVote.objects.filter(poll_id=poll.pk, principal_id=principal.id).values_list(
                "option", flat=True
            )
        )
        wanted = own ^ {option} if poll.is_multiple else {option} - own
        vote(principal=principal, message_id=message_id, options=sorted(wanted))


def close_poll(*, principal: Principal, message_id: UUID) -> None:
    """End a poll; its author may, and whoever moderates. Twice is harmless.

    Raises:
        MessageNotFound, PollNotFound, NotTheAuthor, NotAMember, ConversationArchived.
    """
    with transaction.atomic():
        message, poll = _lock(principal, message_id)
        is_moderator = access.can(principal, "message.moderate", InScope(message.scope_id))
        if message.sender_id != principal.id and not is_moderator:
            raise NotTheAuthor
        if poll.closed_at is None:
            poll.closed_at = timezone.now()
            poll.save(update_fields=["closed_at"])
            recount(message, poll, actor_id=principal.id)


def recount(message: Message, poll: Poll, *, actor_id: UUID | None) -> None:
    """Write the counts of the rows into the card of a locked message, and tell it."""
    message.card = {"type": CARD, "id": str(poll.pk), "data": _data(poll, _tally(poll))}
    message.version += 1
    message.save(update_fields=["card", "version"])
    log.record(
        events.PollChanged(
            organization_id=message.organization_id,
            stream_id=message.conversation_id,
            scope_id=message.scope_id,
            actor_id=None if poll.is_anonymous else actor_id,
            message_id=message.pk,
            card=message.card,
            version=message.version,
        )
    )


def _lock(principal: Principal, message_id: UUID) -> tuple[Message, Poll]:
    message = lock_visible_message(principal=principal, message_id=message_id)
    if message.deleted_at is not None:
        raise MessageDeleted
    poll = Poll.objects.filter(message_id=message_id).first()
    if poll is None:
        raise PollNotFound
    require_open(principal=principal, conversation_id=message.conversation_id)
    return message, poll


def _tally(poll: Poll) -> _Tally:
    """Count the rows; name nobody in an anonymous poll. Three queries at most."""
    rows = PollVote.objects.filter(organization_id=poll.organization_id, poll_id=poll.pk)
    by_option = rows.values("option").annotate(votes=Count("pk")).order_by("option")
    first: dict[int, list[str]] = defaultdict(list)
    if not poll.is_anonymous:
        order = ("created_at", "pk")
        placed = rows.annotate(place=Window(RowNumber(), partition_by="option", order_by=order))
        for option, person in (
            placed.filter(place__lte=MOST_NAMED)
            .order_by("option", "place")
            .values_list("option", "principal_id")
        ):
            first[option].append(str(person))
    people = rows.aggregate(n=Count("principal_id", distinct=True))["n"]
    return _Tally(dict(by_option.values_list("option", "votes")), first, people)


def _data(poll: Poll, tally: _Tally) -> dict[str, Any]:
    """Return what every reader may see: in an anonymous poll no names, of many votes the first names."""
    return {
        "question": poll.question,
        "options": [
            {"text": text, "votes": tally.votes.get(option, 0), "people": tally.first.get(option, [])}
            for option, text in enumerate(poll.options)
        ],
        "people": tally.people,
        "is_multiple": poll.is_multiple,
        "is_anonymous": poll.is_anonymous,
        "closed_at": poll.closed_at.isoformat() if poll.closed_at else None,
    }


def _cleaned(poll: NewPoll) -> tuple[str, list[str]]:
    question = " ".join(poll.question.split())
    options = [text for text in (" ".join(option.split()) for option in poll.options) if text]
    texts = [question, *options]
    is_storable = not any(
        "\x00" in text or any(0xD800 <= ord(char) <= 0xDFFF for char in text) for text in texts
    )
    is_short = len(question) <= LONGEST_QUESTION and all(len(option) <= LONGEST_OPTION for option in options)
    is_different = len({option.casefold() for option in options}) == len(options)
    if not (question and FEWEST <= len(options) <= MOST and is_short and is_different and is_storable):
        raise PollInvalid
    return question, options


def _plain(text: str) -> str:
    """Return Markdown that shows a text as it is and calls nobody."""
    return without_mentions(text.translate(_MARKUP))

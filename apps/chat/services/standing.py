"""What a change of a conversation asks of who makes it: to see it, to be in it, to manage it, to know the people."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import access
from apps.accounts.types import InScope, PersonView, Principal
from apps.chat.errors import ConversationNotFound, NotAChannel, NotAMember, PersonNotFound
from apps.chat.models import Conversation, Membership, Message
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.types import ConversationView


def known_people(principal: Principal, people: Iterable[UUID]) -> list[PersonView]:
    wanted = [person for person in dict.fromkeys(people) if person != principal.id]
    known = people_selectors.visible_people(principal=principal, ids=wanted)
    if any(person not in known or not known[person].is_active for person in wanted):
        raise PersonNotFound
    return [known[person] for person in wanted]


def lock_visible(principal: Principal, conversation_id: UUID) -> Conversation:
    conversation = (
        visible_conversations(principal)
        .select_for_update(no_key=True, of=("self",))
        .filter(pk=conversation_id)
        .first()
    )
    if conversation is None:
        raise ConversationNotFound
    return conversation


def lock_streams(*conversation_ids: UUID) -> None:
    """Let nothing be sent into conversations until the transaction ends; in the order every writer takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT chat_lock_streams(%s)", [list(conversation_ids)])


def lock_message(rows: QuerySet[Message]) -> Message | None:
    """Return the one message that a query finds, locked until the transaction ends; None without one.

    The stream of its conversation is locked before it: whoever changes a message tells it there, and whoever moves
    messages holds the streams when it comes to them. Two orders would be a deadlock.
    """
    place = rows.values_list("conversation_id", flat=True).first()
    if place is None:
        return None
    lock_streams(place)
    message = rows.select_for_update(no_key=True, of=("self",)).first()
    if message is not None and message.conversation_id != place:  # moved at this moment
        lock_streams(message.conversation_id)
    return message


def require_channel(conversation: Conversation) -> None:
    if conversation.kind != Conversation.Kind.CHANNEL:
        raise NotAChannel


def require_member(principal: Principal, conversation: Conversation) -> None:
    if not Membership.objects.filter(
        conversation_id=conversation.pk, principal_id=principal.id, left_at=None
    ).exists():
        raise NotAMember


def may_announce(principal: Principal, conversation: Conversation) -> bool:
    """Return whether the principal posts there: everyone does, or it runs the channel or has the right."""
    return (
        conversation.who_posts == Conversation.Posting.EVERYONE
        or conversation.created_by_id == principal.id
        or bool(access.can(principal, "message.announce", InScope(conversation.scope_id)))
    )


def may_post(principal: Principal, view: ConversationView) -> bool:
    """Return whether a page offers to write there. No query, except where only announcers post."""
    if not view.is_member or view.archived_at is not None:
        return False
    if view.who_posts == "everyone":
        return True
    return may_announce(principal, Conversation.objects.get(pk=view.id))


def may_reply(principal: Principal, view: ConversationView) -> bool:
    """Return whether a page offers to reply there. No query, except where only announcers post and reply."""
    is_open = view.is_member and view.archived_at is None
    return is_open and (view.takes_replies or may_post(principal, view))


def require_manager(principal: Principal, conversation: Conversation) -> None:
    """Creator of the channel while a member, or the role's right."""
    if conversation.created_by_id == principal.id:
        require_member(principal, conversation)
        return
    access.require(principal, "conversation.manage_any", InScope(conversation.scope_id))

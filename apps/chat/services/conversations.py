"""Create and change conversations; who is in them is the business of `members`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import access, scopes, trail
from apps.accounts.types import PersonView, Principal
from apps.chat import actions, events
from apps.chat.errors import NameInvalid, NameTaken, NotAGroup, TooManyPeople
from apps.chat.models import Conversation
from apps.chat.services.composing import clean_body
from apps.chat.services.members import seat
from apps.chat.services.standing import (
    known_people,
    lock_visible,
    require_channel,
    require_manager,
    require_member,
)
from apps.chat.types import Posting
from apps.core.events import log
from apps.core.ids import uuid7

_NAME = re.compile(r"[\w][\w .\-&+/]{0,59}", re.UNICODE)
MOST_PEOPLE = 20
_CHANGED = ["name", "description", "archived_at", "is_private", "who_posts", "takes_replies"]


def create_channel(
    *,
    principal: Principal,
    name: str,
    description: str = "",
    is_private: bool = False,
    people: Iterable[UUID] = (),
) -> UUID:
    """Create a channel with its creator and the named people in it; return its id.

    Raises:
        PermissionMissing, NameInvalid, NameTaken, PersonNotFound.
    """
    access.require(principal, "conversation.create_private" if is_private else "conversation.create_public")
    cleaned = clean_name(name)
    members = known_people(principal, people)
    try:
        with transaction.atomic():
            return _create(
                principal,
                kind="channel",
                members=members,
                name=cleaned,
                description=_clean_description(description),
                is_private=is_private,
            )
    except IntegrityError as error:
        if "chat_conversation_name" in str(error):
            raise NameTaken from error
        raise


def open_direct(*, principal: Principal, people: Iterable[UUID]) -> UUID:
    """Return the direct conversation (one other person) or group (several) of exactly these people; create it once.

    Talking to oneself is a direct conversation of one.

    Raises:
        PermissionMissing, PersonNotFound, TooManyPeople.
    """
    access.require(principal, "conversation.create_direct")
    members = known_people(principal, people)
    if len(members) > MOST_PEOPLE:
        raise TooManyPeople(limit=MOST_PEOPLE)
    key = people_key({principal.id, *(person.id for person in members)})
    found = Conversation.objects.filter(organization_id=principal.organization_id, people_key=key).first()
    if found is None:
        kind = "direct" if len(members) <= 1 else "group"
        try:
            with transaction.atomic():
                return _create(principal, kind=kind, members=members, is_private=True, people_key=key)
        except IntegrityError as error:
            if "chat_conversation_people" not in str(error):
                raise
            found = Conversation.objects.get(organization_id=principal.organization_id, people_key=key)
    return found.pk


def _create(principal: Principal, *, kind: str, members: list[PersonView], **fields: Any) -> UUID:
    conversation = store_conversation(
        organization_id=principal.organization_id,
        actor_id=principal.id,
        kind=kind,
        created_by_id=principal.id,
        **fields,
    )
    myself = people_selectors.people([principal.id])[principal.id]
    seat(conversation, [myself, *members], actor_id=principal.id)
    return conversation.pk


def store_conversation(
    *, organization_id: UUID, actor_id: UUID | None, kind: str, **fields: Any
) -> Conversation:
    """Store a conversation with its audience and nobody in it; for callers that decided about rights and people.

    The caller holds a transaction.
    """
    conversation_id = uuid7()
    scope_id = scopes.create_scope(
        organization_id=organization_id,
        kind="conversation",
        audience="seats" if fields.get("is_private") else "organization",
    )
    conversation = Conversation.objects.create(
        id=conversation_id, organization_id=organization_id, kind=kind, scope_id=scope_id, **fields
    )
    log.record(
        events.ConversationCreated(
            organization_id=organization_id,
            stream_id=conversation_id,
            scope_id=scope_id,
            actor_id=actor_id,
            kind=kind,
            name=conversation.name,
            is_private=conversation.is_private,
        )
    )
    return conversation


def update_conversation(
    *,
    principal: Principal,
    conversation_id: UUID,
    name: str | None = None,
    description: str | None = None,
    is_private: bool | None = None,
    is_archived: bool | None = None,
    who_posts: Posting | None = None,
    takes_replies: bool | None = None,
) -> None:
    """Change a channel; None leaves a value. Members may set the description, managers everything.

    Raises:
        ConversationNotFound, NotAChannel, NotAMember, PermissionMissing, NameInvalid, NameTaken.
    """
    managed = (name, is_private, is_archived, who_posts, takes_replies)
    try:
        with transaction.atomic():
            conversation = lock_visible(principal, conversation_id)
            require_channel(conversation)
            if all(value is None for value in managed):
                require_member(principal, conversation)
            else:
                require_manager(principal, conversation)
            if name is not None:
                conversation.name = clean_name(name)
            if description is not None:
                conversation.description = _clean_description(description)
            if is_archived is not None:
                _archive(principal, conversation, is_archived=is_archived)
            if is_private is not None:
                _show(principal, conversation, is_private=is_private)
            if who_posts is not None or takes_replies is not None:
                _let_post(principal, conversation, who_posts, takes_replies)
            conversation.save(update_fields=_CHANGED)
            announce_change(conversation, actor_id=principal.id)
    except IntegrityError as error:
        if "chat_conversation_name" in str(error):
            raise NameTaken from error
        raise


def convert_to_channel(*, principal: Principal, conversation_id: UUID, name: str) -> None:
    """Make a private channel of a group conversation: its history and people stay, and others can be added.

    Everyone in it may: each of them could begin a channel with the others just as well.

    Raises:
        PermissionMissing, ConversationNotFound, NotAMember, NotAGroup, NameInvalid, NameTaken.
    """
    access.require(principal, "conversation.create_private")
    cleaned = clean_name(name)
    try:
        with transaction.atomic():
            conversation = lock_visible(principal, conversation_id)
            require_member(principal, conversation)
            if conversation.kind != Conversation.Kind.GROUP:
                raise NotAGroup
            conversation.kind, conversation.name = Conversation.Kind.CHANNEL, cleaned
            conversation.people_key, conversation.created_by_id = "", principal.id
            conversation.save(update_fields=["kind", "name", "people_key", "created_by"])
            trail.note(principal, actions.CONVERTED, "conversation", conversation.pk)
            announce_change(conversation, actor_id=principal.id)
    except IntegrityError as error:
        if "chat_conversation_name" in str(error):
            raise NameTaken from error
        raise


def _archive(principal: Principal, conversation: Conversation, *, is_archived: bool) -> None:
    if is_archived == (conversation.archived_at is not None):
        return
    conversation.archived_at = timezone.now() if is_archived else None
    act = actions.ARCHIVED if is_archived else actions.UNARCHIVED
    trail.note(principal, act, "conversation", conversation.pk)


def _show(principal: Principal, conversation: Conversation, *, is_private: bool) -> None:
    if is_private == conversation.is_private:
        return
    conversation.is_private = is_private
    trail.note(principal, actions.VISIBILITY_CHANGED, "conversation", conversation.pk, is_private=is_private)
    scopes.set_audience(scope_id=conversation.scope_id, audience="seats" if is_private else "organization")


def _let_post(
    principal: Principal, conversation: Conversation, who_posts: Posting | None, takes_replies: bool | None
) -> None:
    before = (conversation.who_posts, conversation.takes_replies)
    conversation.who_posts = before[0] if who_posts is None else who_posts
    conversation.takes_replies = before[1] if takes_replies is None else takes_replies
    if (conversation.who_posts, conversation.takes_replies) != before:
        trail.note(
            principal, actions.POSTING_CHANGED, "conversation", conversation.pk,
            who_posts=conversation.who_posts, takes_replies=conversation.takes_replies,
        )  # fmt: skip


def announce_change(conversation: Conversation, *, actor_id: UUID | None) -> None:
    """Record what a channel is called, who may post, and whether it is private or archived now."""
    log.record(
        events.ConversationUpdated(
            organization_id=conversation.organization_id,
            stream_id=conversation.pk,
            scope_id=conversation.scope_id,
            actor_id=actor_id,
            name=conversation.name,
            description=conversation.description,
            is_private=conversation.is_private,
            archived_at=conversation.archived_at,
            kind=conversation.kind,
            who_posts=conversation.who_posts,
            takes_replies=conversation.takes_replies,
        )
    )


def clean_name(name: str) -> str:
    """Return a channel name without outer spaces.

    Raises:
        NameInvalid.
    """
    cleaned = " ".join(name.split())
    if not _NAME.fullmatch(cleaned):
        raise NameInvalid
    return cleaned


def _clean_description(description: str) -> str:
    return clean_body(description, may_be_empty=True).replace("\n", " ")[:250]


def people_key(people: set[UUID]) -> str:
    """Return what a direct or group conversation of exactly these people is found by."""
    return hashlib.sha256(b"".join(sorted(person.bytes for person in people))).hexdigest()

"""Create and change conversations, and who is in them."""

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
from apps.chat.errors import (
    ConversationNotFound,
    NameInvalid,
    NameTaken,
    NotAChannel,
    NotAMember,
    PersonNotFound,
    TooManyPeople,
)
from apps.chat.models import Conversation, Membership
from apps.chat.selectors.conversations import visible_conversations
from apps.chat.services.composing import clean_body
from apps.core import tenancy
from apps.core.events import log
from apps.core.ids import uuid7
from apps.core.models import Stream
from apps.core.services import audit

_NAME = re.compile(r"[\w][\w .\-&+/]{0,59}", re.UNICODE)
MOST_PEOPLE = 20


def create_channel(
    *, principal: Principal, name: str, topic: str = "", is_private: bool = False, people: Iterable[UUID] = ()
) -> UUID:
    """Create a channel with its creator and the named people in it; return its id.

    Raises:
        PermissionMissing, NameInvalid, NameTaken, PersonNotFound.
    """
    access.require(principal, "conversation.create_private" if is_private else "conversation.create_public")
    cleaned = clean_name(name)
    members = _known_people(principal, people)
    try:
        with transaction.atomic():
            return _create(
                principal,
                kind="channel",
                members=members,
                name=cleaned,
                topic=_clean_topic(topic),
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
    members = _known_people(principal, people)
    if len(members) > MOST_PEOPLE:
        raise TooManyPeople(limit=MOST_PEOPLE)
    key = _people_key({principal.id, *(person.id for person in members)})
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
    conversation_id = uuid7()
    scope_id = scopes.create_scope(
        organization_id=principal.organization_id,
        kind="conversation",
        audience="seats" if fields.get("is_private") else "organization",
    )
    conversation = Conversation.objects.create(
        id=conversation_id,
        organization_id=principal.organization_id,
        kind=kind,
        scope_id=scope_id,
        created_by_id=principal.id,
        **fields,
    )
    log.record(
        events.ConversationCreated(
            organization_id=principal.organization_id,
            stream_id=conversation_id,
            scope_id=scope_id,
            actor_id=principal.id,
            kind=kind,
            name=conversation.name,
            is_private=conversation.is_private,
        )
    )
    myself = people_selectors.people([principal.id])[principal.id]
    _seat(conversation, [myself, *members], actor_id=principal.id)
    return conversation_id


def _seat(conversation: Conversation, people: list[PersonView], *, actor_id: UUID) -> None:
    """Give people a seat and a membership; those who have one are left as they are."""
    present = set(
        Membership.objects.filter(conversation_id=conversation.pk, left_at=None).values_list(
            "principal_id", flat=True
        )
    )
    new = [person for person in people if person.id not in present]
    if not new:
        return
    scopes.add_seats(scope_id=conversation.scope_id, principals=[person.id for person in new])
    if others := [person.id for person in new if person.id != actor_id]:
        _note_seats(conversation, actions.SEAT_ADDED, others, actor_id=actor_id)
    head = Stream.objects.filter(pk=conversation.pk).values_list("last_sequence", flat=True).first() or 0
    Membership.objects.bulk_create(
        [
            Membership(
                organization_id=conversation.organization_id,
                conversation_id=conversation.pk,
                principal_id=person.id,
                last_read_sequence=head,
            )
            for person in new
        ]
    )
    for person in new:
        joined = log.record(
            events.MemberJoined(
                organization_id=conversation.organization_id,
                stream_id=conversation.pk,
                scope_id=conversation.scope_id,
                actor_id=actor_id,
                principal_id=person.id,
                person={
                    "id": person.id, "name": person.name, "kind": person.kind, "initials": person.initials,
                    "tint": person.tint, "avatar": person.avatar_file_id,
                },
            )
        )  # fmt: skip
        log.record(
            events.ConversationAdded(
                organization_id=conversation.organization_id,
                stream_id=person.member_id,
                actor_id=actor_id,
                conversation=conversation.pk,
                last_sequence=joined.sequence or 0,
            )
        )


def _note_seats(conversation: Conversation, action: str, people: list[UUID], *, actor_id: UUID) -> None:
    """Record who was brought into a channel or taken out by somebody else; whom one writes to directly is private."""
    if conversation.kind != "channel":
        return
    audit.record(
        organization_id=conversation.organization_id,
        action=action,
        actor_id=actor_id,
        object_type="conversation",
        object_id=conversation.pk,
        details={"people": people},
    )


def join(*, principal: Principal, conversation_id: UUID) -> None:
    """Join an open channel; joining twice is harmless.

    Raises:
        ConversationNotFound.
    """
    with transaction.atomic():
        conversation = _lock(principal, conversation_id)
        _seat(conversation, list(people_selectors.people([principal.id]).values()), actor_id=principal.id)


def add_people(*, principal: Principal, conversation_id: UUID, people: Iterable[UUID]) -> None:
    """Bring people into a channel the principal is in; direct and group conversations keep their people.

    Raises:
        ConversationNotFound, NotAMember, NotAChannel, PersonNotFound.
    """
    members = _known_people(principal, people)
    with transaction.atomic():
        conversation = _lock(principal, conversation_id)
        _require_channel(conversation)
        _require_member(principal, conversation)
        _seat(conversation, members, actor_id=principal.id)


def bring_in(*, conversation_id: UUID, person_id: UUID, actor_id: UUID) -> None:
    """Seat someone whom the house brings in: an agent that was mentioned, a guest who accepted an invitation.

    The caller has decided about rights and holds a transaction; who is in already stays as they are.
    """
    conversation = Conversation.objects.get(organization_id=tenancy.current(), pk=conversation_id)
    _seat(conversation, list(people_selectors.people([person_id]).values()), actor_id=actor_id)


def remove_person(*, principal: Principal, conversation_id: UUID, person_id: UUID) -> None:
    """End someone's membership: one's own always (leaving), another's with the right to manage the conversation.

    The seat ends in the same transaction, so page, search, answers and sockets stop at once.

    Raises:
        ConversationNotFound, NotAChannel, PersonNotFound, PermissionMissing.
    """
    with transaction.atomic():
        conversation = _lock(principal, conversation_id)
        _require_channel(conversation)
        if person_id != principal.id:
            _require_manager(principal, conversation)
        end_membership(conversation_id=conversation.pk, person_id=person_id, actor_id=principal.id)


def end_membership(*, conversation_id: UUID, person_id: UUID, actor_id: UUID) -> None:
    """End one membership and its seat; the caller has decided about rights and holds a transaction.

    Raises:
        PersonNotFound: no open membership.
    """
    conversation = Conversation.objects.get(pk=conversation_id)
    ended = Membership.objects.filter(
        conversation_id=conversation_id, principal_id=person_id, left_at=None
    ).update(left_at=timezone.now())
    person = people_selectors.people([person_id]).get(person_id)
    if not ended or person is None:
        raise PersonNotFound
    scopes.remove_seat(scope_id=conversation.scope_id, principal_id=person_id)
    if person_id != actor_id:
        _note_seats(conversation, actions.SEAT_REMOVED, [person_id], actor_id=actor_id)
    log.record(
        events.MemberLeft(
            organization_id=conversation.organization_id,
            stream_id=conversation_id,
            scope_id=conversation.scope_id,
            actor_id=actor_id,
            principal_id=person_id,
        )
    )
    log.record(
        events.ConversationRemoved(
            organization_id=conversation.organization_id,
            stream_id=person.member_id,
            actor_id=actor_id,
            conversation=conversation_id,
        )
    )


def end_all_memberships(*, person_id: UUID) -> None:
    """End the memberships of someone who has left the current organization; repeating it changes nothing."""
    open_ones = Membership.objects.filter(
        organization_id=tenancy.current(), principal_id=person_id, left_at=None
    ).select_related("conversation")
    for membership in open_ones.order_by("conversation_id"):
        with transaction.atomic():
            if not Membership.objects.filter(pk=membership.pk, left_at=None).update(left_at=timezone.now()):
                continue
            log.record(
                events.MemberLeft(
                    organization_id=membership.organization_id,
                    stream_id=membership.conversation_id,
                    scope_id=membership.conversation.scope_id,
                    actor_id=person_id,
                    principal_id=person_id,
                )
            )


def update_conversation(
    *,
    principal: Principal,
    conversation_id: UUID,
    name: str | None = None,
    topic: str | None = None,
    is_private: bool | None = None,
    is_archived: bool | None = None,
) -> None:
    """Change a channel; None leaves a value. Members may set the topic, managers everything.

    Raises:
        ConversationNotFound, NotAChannel, NotAMember, PermissionMissing, NameInvalid, NameTaken.
    """
    try:
        with transaction.atomic():
            conversation = _lock(principal, conversation_id)
            _require_channel(conversation)
            if (name, is_private, is_archived) == (None, None, None):
                _require_member(principal, conversation)
            else:
                _require_manager(principal, conversation)
            conversation.name = conversation.name if name is None else clean_name(name)
            conversation.topic = conversation.topic if topic is None else _clean_topic(topic)
            if is_archived is not None and is_archived != (conversation.archived_at is not None):
                act = actions.ARCHIVED if is_archived else actions.UNARCHIVED
                trail.note(principal, act, "conversation", conversation.pk)
            if is_archived is not None:
                conversation.archived_at = (
                    (conversation.archived_at or timezone.now()) if is_archived else None
                )
            if is_private is not None and is_private != conversation.is_private:
                conversation.is_private = is_private
                trail.note(
                    principal,
                    actions.VISIBILITY_CHANGED,
                    "conversation",
                    conversation.pk,
                    is_private=is_private,
                )
                scopes.set_audience(
                    scope_id=conversation.scope_id, audience="seats" if is_private else "organization"
                )
            conversation.save(update_fields=["name", "topic", "archived_at", "is_private"])
            announce_change(conversation, actor_id=principal.id)
    except IntegrityError as error:
        if "chat_conversation_name" in str(error):
            raise NameTaken from error
        raise


def announce_change(conversation: Conversation, *, actor_id: UUID) -> None:
    """Record what a channel is called and whether it is private or archived now."""
    log.record(
        events.ConversationUpdated(
            organization_id=conversation.organization_id,
            stream_id=conversation.pk,
            scope_id=conversation.scope_id,
            actor_id=actor_id,
            name=conversation.name,
            topic=conversation.topic,
            is_private=conversation.is_private,
            archived_at=conversation.archived_at,
        )
    )


def set_preferences(
    *,
    principal: Principal,
    conversation_id: UUID,
    is_muted: bool | None = None,
    is_starred: bool | None = None,
) -> None:
    """Mute or star a conversation for oneself.

    Raises:
        ConversationNotFound, NotAMember.
    """
    with transaction.atomic():
        membership = (
            Membership.objects.select_for_update(no_key=True)
            .filter(conversation_id=conversation_id, principal_id=principal.id, left_at=None)
            .first()
        )
        if membership is None:
            if visible_conversations(principal).filter(pk=conversation_id).exists():
                raise NotAMember
            raise ConversationNotFound
        membership.is_muted = membership.is_muted if is_muted is None else is_muted
        membership.is_starred = membership.is_starred if is_starred is None else is_starred
        membership.save(update_fields=["is_muted", "is_starred"])
        log.record(
            events.PreferenceChanged(
                organization_id=principal.organization_id,
                stream_id=principal.member_id,
                actor_id=principal.id,
                conversation=conversation_id,
                is_muted=membership.is_muted,
                is_starred=membership.is_starred,
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


def _clean_topic(topic: str) -> str:
    return clean_body(topic, may_be_empty=True).replace("\n", " ")[:250]


def _known_people(principal: Principal, people: Iterable[UUID]) -> list[PersonView]:
    wanted = [person for person in dict.fromkeys(people) if person != principal.id]
    known = people_selectors.visible_people(principal=principal, ids=wanted)
    if any(person not in known or not known[person].is_active for person in wanted):
        raise PersonNotFound
    return [known[person] for person in wanted]


def _lock(principal: Principal, conversation_id: UUID) -> Conversation:
    conversation = (
        visible_conversations(principal)
        .select_for_update(no_key=True, of=("self",))
        .filter(pk=conversation_id)
        .first()
    )
    if conversation is None:
        raise ConversationNotFound
    return conversation


def _require_channel(conversation: Conversation) -> None:
    if conversation.kind != Conversation.Kind.CHANNEL:
        raise NotAChannel


def _require_member(principal: Principal, conversation: Conversation) -> None:
    if not Membership.objects.filter(
        conversation_id=conversation.pk, principal_id=principal.id, left_at=None
    ).exists():
        raise NotAMember


def _require_manager(principal: Principal, conversation: Conversation) -> None:
    """Creator of the channel while a member, or the role's right."""
    if conversation.created_by_id == principal.id:
        _require_member(principal, conversation)
        return
    access.require(principal, "conversation.manage_any")


def _people_key(people: set[UUID]) -> str:
    return hashlib.sha256(b"".join(sorted(person.bytes for person in people))).hexdigest()

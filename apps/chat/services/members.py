"""Who is in a conversation: seats and memberships begin and end here, and what one keeps of it for oneself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import scopes
from apps.accounts.types import PersonView, Principal
from apps.chat import actions, events
from apps.chat.errors import ConversationNotFound, NotAMember, PersonNotFound
from apps.chat.models import Conversation, Membership, ReadMark
from apps.chat.selectors.conversations import is_reached, ref, visible_conversations
from apps.chat.services.standing import (
    known_people,
    lock_visible,
    require_channel,
    require_manager,
    require_member,
)
from apps.core import tenancy
from apps.core.events import log
from apps.core.models import Stream
from apps.core.services import audit


def seat(conversation: Conversation, people: list[PersonView], *, actor_id: UUID) -> None:
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
                person=dataclasses.asdict(ref(person)),
            )
        )
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
        conversation = lock_visible(principal, conversation_id)
        seat(conversation, list(people_selectors.people([principal.id]).values()), actor_id=principal.id)


def add_people(*, principal: Principal, conversation_id: UUID, people: Iterable[UUID]) -> None:
    """Bring people into a channel the principal is in; direct and group conversations keep their people.

    Raises:
        ConversationNotFound, NotAMember, NotAChannel, PersonNotFound.
    """
    members = known_people(principal, people)
    with transaction.atomic():
        conversation = lock_visible(principal, conversation_id)
        require_channel(conversation)
        require_member(principal, conversation)
        seat(conversation, members, actor_id=principal.id)


def bring_in(*, conversation_id: UUID, person_id: UUID, actor_id: UUID) -> None:
    """Seat someone whom the house brings in: an agent that was mentioned, a guest who accepted an invitation.

    The caller has decided about rights and holds a transaction; who is in already stays as they are.
    """
    conversation = Conversation.objects.get(organization_id=tenancy.current(), pk=conversation_id)
    seat(conversation, list(people_selectors.people([person_id]).values()), actor_id=actor_id)


def remove_person(*, principal: Principal, conversation_id: UUID, person_id: UUID) -> None:
    """End someone's membership: one's own always (leaving), another's with the right to manage the conversation.

    The seat ends in the same transaction, so page, search, answers and sockets stop at once.

    Raises:
        ConversationNotFound, NotAChannel, PersonNotFound, PermissionMissing.
    """
    with transaction.atomic():
        conversation = lock_visible(principal, conversation_id)
        require_channel(conversation)
        if person_id != principal.id:
            require_manager(principal, conversation)
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
    ReadMark.objects.filter(conversation_id=conversation_id, principal_id=person_id).delete()
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
            ReadMark.objects.filter(
                conversation_id=membership.conversation_id, principal_id=person_id
            ).delete()
            log.record(
                events.MemberLeft(
                    organization_id=membership.organization_id,
                    stream_id=membership.conversation_id,
                    scope_id=membership.conversation.scope_id,
                    actor_id=person_id,
                    principal_id=person_id,
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
    if not is_reached(principal, conversation_id):
        raise ConversationNotFound
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

"""Conversations of an export as conversations here, and who sits in them once their messages are there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.selectors.people import people
from apps.accounts.types import PersonView
from apps.chat.errors import NameInvalid
from apps.chat.models import Conversation, ImportedConversation, ImportedSeat
from apps.chat.services.conversations import clean_name, people_key, store_conversation
from apps.chat.services.members import seat
from apps.chat.services.slack.cast import Cast
from apps.chat.services.slack.shapes import SlackPlace

LONGEST_NAME = 60


def ensure_place(
    place: SlackPlace, *, organization_id: UUID, source: str, actor_id: UUID, cast: Cast
) -> ImportedConversation:
    """Return which conversation a place is: the one an earlier import made, or a new one with nobody in it yet.

    Direct and group conversations are those of the same people here, if they have one.
    """
    known = (
        ImportedConversation.objects.filter(
            organization_id=organization_id, source=source, external_id=place.id
        )
        .select_related("conversation")
        .first()
    )
    if known is not None:
        return known
    for one in () if place.is_named else place.members:
        cast.author(one, "")  # stored for itself: what is remembered must not be rolled back
    with transaction.atomic():
        conversation = (
            _channel(place, organization_id=organization_id, actor_id=actor_id, cast=cast)
            if place.is_named
            else _direct(place, organization_id=organization_id, actor_id=actor_id, cast=cast)
        )
        return ImportedConversation.objects.create(
            organization_id=organization_id, source=source, external_id=place.id, conversation=conversation
        )


def seat_people(conversation: Conversation, members: Iterable[PersonView], *, actor_id: UUID) -> int:
    """Seat who has access behind everything that is there, keep the others' places; return how many were seated."""
    everyone = list(members)
    present = [person for person in everyone if person.is_active]
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        seat(locked, present, actor_id=actor_id)
        ImportedSeat.objects.bulk_create(
            [
                ImportedSeat(
                    organization_id=locked.organization_id, conversation_id=locked.pk, principal_id=person.id
                )
                for person in everyone
                if not person.is_active and person.kind == "person"
            ],
            ignore_conflicts=True,
        )
    return len(present)


def take_waiting_seats(*, organization_id: UUID, principal_id: UUID) -> int:
    """Give somebody who was let in the places that waited; return how many. Twice changes nothing."""
    waiting = ImportedSeat.objects.filter(organization_id=organization_id, principal_id=principal_id)
    principal = people([principal_id]).get(principal_id) if waiting.exists() else None
    if principal is None or not principal.is_active:
        return 0
    taken = 0
    for row in waiting.select_related("conversation").order_by("conversation_id"):
        with transaction.atomic():
            if row.conversation.kind == Conversation.Kind.DIRECT:
                Conversation.objects.filter(pk=row.conversation_id).update(name="")
            seat(row.conversation, [principal], actor_id=principal.id)
            row.delete()
        taken += 1
    return taken


def _channel(place: SlackPlace, *, organization_id: UUID, actor_id: UUID, cast: Cast) -> Conversation:
    creator = cast.find(place.creator)
    return store_conversation(
        organization_id=organization_id,
        actor_id=actor_id,
        kind="channel",
        name=free_name(place.name, organization_id=organization_id),
        description=place.purpose,
        is_private=place.kind == "private",
        created_by_id=creator.id if creator else actor_id,
        archived_at=_archived(place),
    )


def _direct(place: SlackPlace, *, organization_id: UUID, actor_id: UUID, cast: Cast) -> Conversation:
    members = [cast.author(one, "") for one in place.members]
    key = people_key({person.id for person in members})
    found = Conversation.objects.filter(organization_id=organization_id, people_key=key).first()
    if found is not None:
        return found
    absent = [person for person in members if not person.is_active]
    is_pair = len({person.id for person in members}) <= 2  # or one with itself
    return store_conversation(
        organization_id=organization_id,
        actor_id=actor_id,
        kind="direct" if is_pair else "group",
        # A conversation of two is called after the other one, who has no seat yet.
        name=absent[0].name[:LONGEST_NAME] if is_pair and len(absent) == 1 else "",
        is_private=True,
        people_key=key,
        created_by_id=members[0].id if members else actor_id,
    )


def free_name(name: str, *, organization_id: UUID) -> str:
    """Return the channel's name, with an ending where a channel here has it already."""
    cleaned = _name(name)
    for number in range(1000):
        ending = "" if not number else "-slack" if number == 1 else f"-slack-{number}"
        wanted = cleaned[: LONGEST_NAME - len(ending)] + ending
        taken = Conversation.objects.filter(
            organization_id=organization_id, kind="channel", name__iexact=wanted
        )
        if not taken.exists():
            return wanted
    raise NameInvalid


def _name(name: str) -> str:
    allowed = "".join(char if char.isalnum() or char in "_ .-&+/" else "-" for char in name)
    try:
        return clean_name(allowed.lstrip(" .-&+/")[:LONGEST_NAME].strip() or "slack")
    except NameInvalid:
        return "slack"


def _archived(place: SlackPlace) -> datetime | None:
    return timezone.now() if place.is_archived else None

"""What notifications hold about a person: counted and exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model, QuerySet

from apps.core.data_subjects import Person
from apps.notify.models import (
    Delivery,
    Keyword,
    Level,
    Notification,
    Preferences,
    PushSubscription,
    ReplyAddress,
)

Row = Mapping[str, Any]
_LINE = ("channel", "state", "outcome", "settled_at")
WISHES: tuple[type[Model], ...] = (Preferences, Level, Keyword)
ADDRESSES: tuple[type[Model], ...] = (PushSubscription, ReplyAddress)


def notifications_of(person: Person) -> QuerySet[Notification]:
    """Return what the person was told."""
    return Notification.objects.filter(organization_id=person.organization_id, recipient_id=person.id)


def acts_of(person: Person) -> QuerySet[Notification]:
    """Return what others were told because of the person."""
    return Notification.objects.filter(organization_id=person.organization_id, actor_id=person.id)


def own(model: type[Model], person: Person) -> QuerySet[Any]:
    """Return the person's rows of a model with a `principal`."""
    return model._default_manager.filter(  # noqa: SLF001 - Django's public name
        organization_id=person.organization_id, principal_id=person.id
    )


def count_own(models: tuple[type[Model], ...], person: Person) -> int:
    """Return how many rows of these models are the person's."""
    return sum(own(model, person).count() for model in models)


def export_notifications(person: Person) -> Iterator[Row]:
    """Yield what the person was told, and by which ways."""
    ways: dict[Any, list[Row]] = {}
    lines = Delivery.objects.filter(
        organization_id=person.organization_id, notification__recipient_id=person.id
    )
    for notification_id, *line in lines.order_by("pk").values_list("notification_id", *_LINE):
        ways.setdefault(notification_id, []).append(dict(zip(_LINE, line, strict=True)))
    rows = notifications_of(person).order_by("pk")
    for row in rows.values(
        "id", "kind", "reason", "subject", "created_at", "seen_at", "read_at", "cancelled_at", "held_by"
    ):
        yield {**row, "deliveries": ways.get(row["id"], [])}


def export_wishes(person: Person) -> Iterator[Row]:
    """Yield what the person wants to be told."""
    yield from own(Preferences, person).values(
        "level", "mail", "digest_minute", "digest_weekday", "has_push", "push_content", "time_zone", "quiet",
        "do_not_disturb_until",
    )  # fmt: skip
    yield from own(Level, person).order_by("place").values("place", "level")
    yield from own(Keyword, person).order_by("word").values("word")


def export_addresses(person: Person) -> Iterator[Row]:
    """Yield the person's browsers and reply addresses; the secrets in them are no data of its own."""
    yield from own(PushSubscription, person).order_by("pk").values("user_agent", "created_at", "last_sent_at")
    yield from (
        own(ReplyAddress, person)
        .order_by("pk")
        .values("conversation_id", "thread_id", "created_at", "expires_at")
    )

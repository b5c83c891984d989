"""Erase what notifications hold about a person."""

from __future__ import annotations

from typing import Any

from apps.core.data_subjects import Batch, Person
from apps.notify.models import Notification
from apps.notify.selectors import personal

BATCH = 2000


def erase_notifications_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next of what the person was told, with its log; then forget who made others be told."""
    ids = list(personal.notifications_of(person).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if ids:
        Notification.objects.filter(organization_id=person.organization_id, pk__in=ids).delete()
        return Batch(len(ids), "more")
    return Batch(personal.acts_of(person).update(actor=None))


def erase_wishes_of(person: Person, _cursor: Any) -> Batch:
    """Delete what the person wanted to be told."""
    return Batch(sum(personal.own(model, person).delete()[0] for model in personal.WISHES))


def erase_addresses_of(person: Person, _cursor: Any) -> Batch:
    """Delete where the person was reached."""
    return Batch(sum(personal.own(model, person).delete()[0] for model in personal.ADDRESSES))

"""Seats of guests that end soon: the guest is told some days before, and so is who invited it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors.guests import seats_ending_by
from apps.core import tenancy
from apps.notify.models import Notification
from apps.notify.selectors import seats
from apps.notify.services import noticing
from apps.notify.types import Kind, Notice, Recipient

BEFORE = timedelta(days=7)
SEAT_ENDING = Kind(key="notify.seat_ending", label=_("Access that ends"), describe=seats.describe)


def tell_of_ending_seats() -> int:
    """Tell of the seats of the current organization that end soon, each once; return how many were told of."""
    ending = {seats.subject(seat): seat for seat in seats_ending_by(timezone.now() + BEFORE)}
    told = Notification.objects.filter(organization_id=tenancy.current(), subject__in=ending)
    new = ending.keys() - set(told.values_list("subject", flat=True))
    for subject in sorted(new):
        seat = ending[subject]
        notice = Notice(organization_id=tenancy.current(), kind=SEAT_ENDING.key, subject=subject)
        people = [seat.principal_id, *([seat.invited_by] if seat.invited_by else [])]
        noticing.notify(notice, [Recipient(principal_id=person, reason="admin") for person in people])
    return len(new)

"""The budget of a day: tokens are reserved before a call, settled after it, and freed when its process died."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from apps.core import tenancy
from apps.core.ids import uuid7
from apps.llm.errors import BudgetSpent
from apps.llm.models import DailyUsage, Reservation, UsageEntry
from apps.llm.types import Caller, Usage

_GRACE_SECONDS = 60.0  # beyond the call's own time limit, before a reservation is taken for dead


def reserve(*, tokens: int, timeout_seconds: float) -> UUID:
    """Set tokens of today's budget aside and return the reservation.

    Five statements in a transaction of its own; callers of one organization wait for each other that long.

    Raises:
        BudgetSpent: today's tokens, those of calls under way included, would go beyond the limit.
    """
    now = timezone.now()
    organization_id = tenancy.current()
    with transaction.atomic():
        used = _locked_day(organization_id, now).tokens
        reservations = Reservation.objects.filter(organization_id=organization_id)
        reservations.filter(expires_at__lte=now).delete()
        reserved = reservations.aggregate(total=Sum("tokens"))["total"] or 0
        if used + reserved + tokens > settings.CONFIGURATION.model.llm_daily_tokens:
            raise BudgetSpent(retry_after_seconds=_until_midnight(now))
        return Reservation.objects.create(
            organization_id=organization_id,
            tokens=tokens,
            expires_at=now + timedelta(seconds=timeout_seconds + _GRACE_SECONDS),
        ).pk


def settle(
    *, reservation_id: UUID | None, caller: Caller, provider: str, model: str, usage: Usage, outcome: str
) -> None:
    """Write the ledger's row, count the tokens to the day and free the reservation, all or nothing."""
    now = timezone.now()
    organization_id = tenancy.current()
    with transaction.atomic():
        UsageEntry.objects.bulk_create(
            [
                UsageEntry(
                    organization_id=organization_id,
                    principal_id=caller.principal_id,
                    run_id=caller.run_id,
                    purpose=caller.purpose,
                    provider=provider,
                    model=model,
                    tokens_in=usage.tokens_in,
                    tokens_out=usage.tokens_out,
                    is_estimated=usage.is_estimated,
                    cost=usage.cost,
                    outcome=outcome,
                    created_at=now,
                )
            ]
        )
        if reservation_id is not None:
            day = _locked_day(organization_id, now)
            spent = usage.tokens_in + usage.tokens_out
            DailyUsage.objects.filter(organization_id=organization_id, pk=day.pk).update(
                tokens=F("tokens") + spent
            )
            Reservation.objects.filter(organization_id=organization_id, pk=reservation_id).delete()


def release(*, reservation_id: UUID) -> None:
    """Free a reservation whose call never reached a model."""
    Reservation.objects.filter(organization_id=tenancy.current(), pk=reservation_id).delete()


def _locked_day(organization_id: UUID, now: datetime) -> DailyUsage:
    """Return today's row, made if need be, and locked until the end of the transaction."""
    day = now.astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO llm_dailyusage (id, created_at, organization_id, day, tokens) VALUES (%s, %s, %s, %s, 0) "
            "ON CONFLICT (organization_id, day) DO NOTHING",
            [uuid7(), now, organization_id, day],
        )
    return DailyUsage.objects.select_for_update(no_key=True).get(organization_id=organization_id, day=day)


def _until_midnight(now: datetime) -> int:
    tomorrow = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1

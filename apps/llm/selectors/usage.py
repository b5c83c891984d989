"""Sums of the ledger and the state of today's budget, for the console and the status page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.core import tenancy
from apps.llm.models import DailyUsage, Reservation, UsageEntry


@dataclass(frozen=True, slots=True)
class UsageSum:
    """All calls of one day (UTC), purpose and model."""

    day: date
    purpose: str
    model: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class BudgetState:
    """Tokens of today: settled, set aside for calls under way, and the limit."""

    used: int
    reserved: int
    limit: int


def list_usage(*, days: int = 30) -> list[UsageSum]:
    """Return the sums of the last days, newest first; one query on (organization, created_at)."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        UsageEntry.objects.filter(organization_id=tenancy.current(), created_at__gte=since)
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values("day", "purpose", "model")
        .annotate(calls=Count("id"), sum_in=Sum("tokens_in"), sum_out=Sum("tokens_out"), sum_cost=Sum("cost"))
        .order_by("-day", "purpose", "model")
    )
    return [
        UsageSum(
            day=row["day"],
            purpose=row["purpose"],
            model=row["model"],
            calls=row["calls"],
            tokens_in=row["sum_in"],
            tokens_out=row["sum_out"],
            cost=row["sum_cost"],
        )
        for row in rows
    ]


def get_budget() -> BudgetState:
    """Return the state of today's budget; two queries."""
    now = timezone.now()
    organization_id = tenancy.current()
    today = datetime.now(UTC).date()
    used = (
        DailyUsage.objects.filter(organization_id=organization_id, day=today)
        .values_list("tokens", flat=True)
        .first()
    )
    live = Reservation.objects.filter(organization_id=organization_id, expires_at__gt=now)
    reserved = live.aggregate(total=Sum("tokens"))["total"]
    return BudgetState(used or 0, reserved or 0, settings.CONFIGURATION.model.llm_daily_tokens)

"""Sums are of this organization and this day, and cost a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.core import tenancy
from apps.llm.models import UsageEntry
from apps.llm.selectors.usage import get_budget, list_usage
from apps.llm.services.budget import reserve, settle
from apps.llm.types import Caller, Usage
from tests.factories.accounts import OrganizationFactory


def spend(purpose: str, tokens: int, *, reserved: bool = True) -> None:
    held = reserve(tokens=tokens, timeout_seconds=5) if reserved else None
    used = Usage(tokens_in=tokens - 1, tokens_out=1, is_estimated=False, cost=Decimal("0.5"))
    settle(reservation_id=held, caller=Caller(purpose), provider="p", model="m", usage=used, outcome="done")


@pytest.mark.parametrize("rows", [1, 20])
def test_usage_is_summed_in_one_query(
    organization_id: UUID, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        spend("answer", 10)
    spend("index", 5, reserved=False)
    with tenancy.use(OrganizationFactory().pk):
        spend("answer", 1000)
    with django_assert_num_queries(1):
        sums = list_usage()
    assert [(row.purpose, row.calls, row.tokens_in, row.tokens_out, row.cost) for row in sums] == [
        ("answer", rows, 9 * rows, rows, Decimal("0.5") * rows),
        ("index", 1, 4, 1, Decimal("0.5")),
    ]


def test_old_usage_is_left_out(organization_id: UUID) -> None:
    spend("answer", 10)
    UsageEntry.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert list_usage(days=30) == []


def test_the_budget_shows_what_is_used_and_what_is_set_aside(
    organization_id: UUID, use_llm: Callable[..., None]
) -> None:
    use_llm("", llm_daily_tokens=500)
    spend("answer", 10)
    reserve(tokens=40, timeout_seconds=5)
    state = get_budget()
    assert (state.used, state.reserved, state.limit) == (10, 40, 500)


def test_the_ledger_is_partitioned_by_month(organization_id: UUID) -> None:
    spend("answer", 10)
    (partition,) = UsageEntry.objects.extra(select={"part": "tableoid::regclass::text"}).values_list(
        "part", flat=True
    )
    assert partition == f"llm_usageentry_{timezone.now():%Y%m}"

"""Budgets of a day: dead calls free what they held, organizations do not share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.core import tenancy
from apps.llm.errors import BudgetSpent
from apps.llm.models import DailyUsage, Reservation
from apps.llm.services.budget import reserve
from apps.llm.services.tokens import estimate_tokens
from tests.factories.accounts import OrganizationFactory


@pytest.fixture(autouse=True)
def _hundred_tokens(use_llm: Callable[..., None]) -> None:
    use_llm("http://127.0.0.1:9/v1", llm_daily_tokens=100)


def test_a_reservation_whose_process_died_is_freed(organization_id: UUID) -> None:
    reserve(tokens=100, timeout_seconds=5)
    with pytest.raises(BudgetSpent):
        reserve(tokens=1, timeout_seconds=5)
    Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    reserve(tokens=100, timeout_seconds=5)
    assert Reservation.objects.count() == 1


def test_a_refused_reservation_leaves_nothing(organization_id: UUID) -> None:
    with pytest.raises(BudgetSpent):
        reserve(tokens=101, timeout_seconds=5)
    assert not Reservation.objects.exists()
    assert not DailyUsage.objects.exists()


def test_organizations_have_budgets_of_their_own(organization_id: UUID) -> None:
    reserve(tokens=100, timeout_seconds=5)
    with tenancy.use(OrganizationFactory().pk):
        reserve(tokens=100, timeout_seconds=5)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("x" * 330, 100)])
def test_estimates_err_on_the_large_side(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens

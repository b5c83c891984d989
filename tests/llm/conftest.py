"""An organization to work for, and settings that point at a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from apps.core import tenancy
from apps.llm.services import gateway
from tests.factories.accounts import OrganizationFactory


@pytest.fixture
def organization_id(db: None) -> Iterator[UUID]:
    """Work for one organization."""
    organization = OrganizationFactory()
    with tenancy.use(organization.pk):
        yield organization.pk


@pytest.fixture
def use_llm(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Configure a model: `use_llm(base_url, llm_daily_tokens=...)`; waits between attempts take no time."""
    monkeypatch.setattr(gateway, "PAUSE_SECONDS", (0.0, 0.0))

    def use(base_url: str, **values: object) -> None:
        chosen = {
            "llm_base_url": base_url,
            "llm_model": "test-model",
            "llm_api_key": SecretStr("key-of-the-operator"),
            "llm_timeout_seconds": 5.0,
            "llm_price_in": Decimal(2),
            "llm_price_out": Decimal(10),
        }
        group = settings.CONFIGURATION.model.model_copy(update=chosen | values)
        settings.CONFIGURATION = replace(settings.CONFIGURATION, model=group)

    return use

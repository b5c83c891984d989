"""An organization that fetches through both doors, with a policy of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from apps.core import tenancy
from apps.core.outbound import fetching
from apps.core.outbound.types import Fetch, Fetched, Policy
from apps.core.services import breaker as breakers
from tests.core.outbound.doors import Get, UsePolicy
from tests.core.outbound_servers import Names, public_here
from tests.factories.accounts import OrganizationFactory


@pytest.fixture
def organization_id(db: None) -> Iterator[UUID]:
    organization = OrganizationFactory()
    breakers.forget()
    with tenancy.use(organization.pk):
        yield organization.pk


@pytest.fixture
def use_policy(organization_id: UUID, monkeypatch: pytest.MonkeyPatch) -> UsePolicy:
    def use(*ports: int, names: dict[str, list[list[str]]] | None = None, **other: Any) -> Names:
        server = Names(names or {})
        policy = Policy(**({"ports": frozenset(ports), "is_allowed": public_here, "look_up": server} | other))
        monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: policy)
        return server

    return use


@pytest.fixture(params=["fetch", "fetch_async"])
def get(request: pytest.FixtureRequest) -> Get:
    """Each test goes through the blocking and the async door."""
    blocking = request.param == "fetch"

    def ask(url: str, **wanted: Any) -> Fetched:
        asked = Fetch(url=url, purpose="test", **wanted)
        return fetching.fetch(asked) if blocking else asyncio.run(fetching.fetch_async(asked))

    return ask

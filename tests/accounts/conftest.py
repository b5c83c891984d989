"""What most tests of accounts start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.accounts.models import Member, Organization
from apps.accounts.services import key_use, principal_cache, sessions
from apps.accounts.types import Principal
from apps.core import tenancy
from tests.factories.accounts import MemberFactory, OrganizationFactory, principal_of


@pytest.fixture(autouse=True)
def _forget_what_the_process_knows() -> Iterator[None]:
    """Memory of one process that must not reach the next test: cached principals, recent uses."""
    principal_cache.follow(None)
    key_use._touched.clear()
    sessions._tracked.clear()
    yield
    principal_cache.follow(None)


@pytest.fixture
def organization(db: None) -> Organization:
    """An organization with its built-in roles."""
    return OrganizationFactory()


@pytest.fixture
def member(organization: Organization) -> Callable[..., Member]:
    """Make members of `organization`: `member("admin", name="Ada")`."""

    def make(role: str = "member", **values: Any) -> Member:
        return MemberFactory(organization=organization, role=role, **values)

    return make


@pytest.fixture
def acting(member: Callable[..., Member]) -> Callable[..., Principal]:
    """Make members of `organization` and return them as principals: `acting("owner")`."""

    def make(role: str = "member", **values: Any) -> Principal:
        return principal_of(member(role, **values))

    return make


@pytest.fixture
def here(organization: Organization) -> Iterator[Organization]:
    """The organization, opened for the whole test."""
    with tenancy.use(organization.pk):
        yield organization

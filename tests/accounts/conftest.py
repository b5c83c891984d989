"""What most tests of accounts start from."""

from __future__ import annotations

import pytest

from apps.accounts.models import Organization
from tests.factories.accounts import OrganizationFactory


@pytest.fixture
def organization(db: None) -> Organization:
    """An organization with its built-in roles."""
    return OrganizationFactory()

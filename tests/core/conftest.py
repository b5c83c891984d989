"""What tests of the relay and its consumers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.events import platform_role


@pytest.fixture
def database(transactional_db: None) -> Iterator[None]:
    """The database as the relay sees it."""
    with platform_role():
        yield

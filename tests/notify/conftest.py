"""Tests of notifications run inside one organization."""

from collections.abc import Iterator

import pytest

from apps.core import tenancy
from tests.chat.world import World, make_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """An organization, opened for the whole test."""
    made = make_world()
    with tenancy.use(made.organization.pk):
        yield made

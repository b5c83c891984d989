"""Tests of agents run inside one organization, with hashed vectors and without a model: the excerpts answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from apps.core import tenancy
from tests.chat.world import World, make_world


@pytest.fixture(autouse=True)
def _hashed_vectors(settings: object) -> None:
    configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
    group = configuration.model.model_copy(update={"model_url": "", "embedding": "hashed"})
    settings.CONFIGURATION = replace(configuration, model=group)  # type: ignore[attr-defined]


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """An organization, opened for the whole test."""
    made = make_world()
    with tenancy.use(made.organization.pk):
        yield made

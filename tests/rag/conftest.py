"""Tests of search run inside one organization, with hashed vectors: no model process, the same numbers everywhere."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.core import tenancy
from apps.rag.services import rewriting
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


@pytest.fixture(scope="session")
def _openai_compatible() -> None:
    """Load it before a test opens a transaction: half a thousand modules, and none where the tests are collected."""
    importlib.import_module("apps.llm.providers.openai_compatible")


@pytest.fixture
def use_model(
    settings: Any, monkeypatch: pytest.MonkeyPatch, _openai_compatible: None
) -> Callable[..., None]:
    """Configure a model and let weak searches ask it."""
    monkeypatch.setattr(rewriting, "PER_MINUTE", 1000)

    def use(base_url: str, *, is_on: bool = True, seconds: float = 5.0, **model: object) -> None:
        chosen = {"llm_base_url": base_url, "llm_model": "test-model", "llm_timeout_seconds": 5.0} | model
        search = {"search_rewriting": is_on, "search_rewriting_seconds": seconds}
        configuration = settings.CONFIGURATION
        settings.CONFIGURATION = replace(
            configuration,
            model=configuration.model.model_copy(update=chosen),
            search=configuration.search.model_copy(update=search),
        )

    return use

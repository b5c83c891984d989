"""The scene, planted and committed, so that relay and worker see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apps.core import tenancy
from apps.documents.services import documents
from apps.files import store as stores
from tests.security.privacy.scene import Scene, plant
from tests.snapshots import Stage


@pytest.fixture(autouse=True)
def _places(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
    model = configuration.model.model_copy(update={"model_url": "", "embedding": "hashed"})
    settings.CONFIGURATION = replace(configuration, model=model)  # type: ignore[attr-defined]
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    settings.EMAIL_FILE_PATH = tmp_path / "mail"  # type: ignore[attr-defined]
    stores.store.cache_clear()
    yield
    stores.store.cache_clear()


@pytest.fixture(scope="session")
def stage() -> Stage[Scene]:
    return Stage()


@pytest.fixture
def full_scene(transactional_db: None, stage: Stage[Scene]) -> Iterator[Scene]:
    """With documents that the parsing process has read: the slow part."""
    planted = stage.set("full", plant)
    with tenancy.use(planted.organization.pk):
        yield planted


@pytest.fixture
def scene(transactional_db: None, stage: Stage[Scene], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same, except that nothing has read the documents yet."""
    monkeypatch.setattr(documents, "start_reading", lambda *_arguments: None)
    planted = stage.set("unread", plant)
    with tenancy.use(planted.organization.pk):
        yield planted

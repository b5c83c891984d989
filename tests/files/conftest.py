"""What tests of files start from: a member, and a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import Member
from apps.core import tenancy
from apps.files import store as stores
from tests.factories.accounts import MemberFactory


@pytest.fixture
def member(db: None) -> Iterator[Member]:
    """A member whose organization is open."""
    member = MemberFactory()
    with tenancy.use(member.organization_id):
        yield member


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: object) -> Iterator[Path]:
    """Where this test's files lie."""
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    stores.store.cache_clear()
    yield tmp_path / "files"
    stores.store.cache_clear()


def stored(folder: Path) -> list[Path]:
    """Return every file in the store, parts too."""
    return sorted(path for path in folder.rglob("*") if path.is_file())

"""What tests of documents start from: members, and a store of their own for those that keep files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.accounts.models import Member
from apps.core import tenancy
from apps.core.conf.groups import DocumentSettings
from apps.files import store as stores
from tests.documents.sources import Shelf
from tests.factories.accounts import MemberFactory


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """Where this test's files lie."""
    settings.DATA_DIR = tmp_path
    stores.store.cache_clear()
    yield tmp_path / "files"
    stores.store.cache_clear()


@pytest.fixture
def member(db: None, folder: Path) -> Iterator[Member]:
    """A member whose organization is open."""
    member = MemberFactory()
    with tenancy.use(member.organization_id):
        yield member


@pytest.fixture
def administrator(db: None, folder: Path) -> Iterator[Member]:
    """An administrator whose organization is open."""
    administrator = MemberFactory(role="admin")
    with tenancy.use(administrator.organization_id):
        yield administrator


@pytest.fixture
def root(tmp_path: Path, settings: LazySettings) -> Path:
    """Where the operator lets folders be read."""
    root = tmp_path / "sources"
    root.mkdir()
    settings.CONFIGURATION = replace(
        settings.CONFIGURATION, documents=DocumentSettings(source_folders_root=root)
    )
    return root


@pytest.fixture
def shelf(root: Path, administrator: Member) -> Shelf:
    """A folder there, of the administrator's organization."""
    path = root / administrator.organization.slug / "handbook"
    path.mkdir(parents=True)
    return Shelf(path)

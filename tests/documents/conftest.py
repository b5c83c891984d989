"""What tests of documents start from: members, and a store of their own for those that keep files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.accounts.models import Member
from apps.core import tenancy
from apps.files import store as stores
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

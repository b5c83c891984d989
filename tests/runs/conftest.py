"""What tests of runs start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import Member
from apps.core import tenancy
from tests.factories.accounts import MemberFactory
from tests.runs import steps  # noqa: F401 - declares them


@pytest.fixture
def member(db: None) -> Iterator[Member]:
    """A member whose organization is open."""
    member = MemberFactory()
    with tenancy.use(member.organization_id):
        yield member


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The file in which the steps of the tests note what they did."""
    path = tmp_path / "notes"
    path.touch()
    return path

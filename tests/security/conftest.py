"""Two organizations with something behind every door, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.realm import Realm, build, committed


@pytest.fixture(scope="module")
def realm(django_db_setup: None, django_db_blocker: Any) -> Iterator[Realm]:
    """The organization that others look at; its rows are committed."""
    with django_db_blocker.unblock(), committed():
        yield build("quarry")


@pytest.fixture(scope="module")
def elsewhere(realm: Realm) -> Realm:
    """The organization of those who look."""
    return build("meadow", is_read=False)

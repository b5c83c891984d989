"""Two organizations with something behind every door, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.realm import Realm, build, committed
from tests.snapshots import Stage


@pytest.fixture(scope="session")
def houses() -> Stage[tuple[Realm, Realm]]:
    return Stage()


@pytest.fixture(scope="module")
def both(
    django_db_setup: None, django_db_blocker: Any, houses: Stage[tuple[Realm, Realm]]
) -> Iterator[tuple[Realm, Realm]]:
    """Committed rows, for the tests of a module."""
    with django_db_blocker.unblock(), committed():
        yield houses.set("both", lambda: (build("quarry"), build("meadow", is_read=False)))


@pytest.fixture(scope="module")
def realm(both: tuple[Realm, Realm]) -> Realm:
    """The organization that others look at."""
    return both[0]


@pytest.fixture(scope="module")
def elsewhere(both: tuple[Realm, Realm]) -> Realm:
    """The organization of those who look."""
    return both[1]

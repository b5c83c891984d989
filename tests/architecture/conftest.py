"""The syntax trees of all sources are millions of objects: they go when the last test here has read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.architecture.sources import modules


@pytest.fixture(scope="package", autouse=True)
def _trees() -> Iterator[None]:
    yield
    modules.cache_clear()

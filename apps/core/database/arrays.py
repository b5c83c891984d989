"""Arrays of ids as one value: the driver would write thousands of them one by one, and longer than the work takes."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def written(ids: Iterable[UUID | int]) -> str:
    """Return an array as PostgreSQL reads it; for `%s::uuid[]` and `%s::bigint[]`."""
    return "{" + ",".join(map(str, ids)) + "}"

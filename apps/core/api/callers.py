"""The caller of an API request, as far as the mechanisms need to know it."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID


class Caller(Protocol):
    """The part of an acting principal that limits, retry keys and logs use."""

    @property
    def id(self) -> UUID: ...
    @property
    def organization_id(self) -> UUID: ...
    @property
    def session(self) -> str: ...


def find_caller(request: Any) -> Caller | None:
    """Return who calls, or None for a visitor; takes Django's and DRF's requests alike."""
    caller: Caller | None = getattr(request, "principal", None)
    return caller

"""Each call comes from another network: what is tried is the answer, not how often one network may be refused."""

from __future__ import annotations

import random
from typing import Any

import schemathesis

_chance = random.Random(25)


@schemathesis.hook  # type: ignore[untyped-decorator]  # finds the hook by its name
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Name an address of the network kept for examples (RFC 2544)."""
    case.headers["X-Forwarded-For"] = (
        f"198.{_chance.choice((18, 19))}.{_chance.randrange(256)}.{_chance.randrange(256)}"
    )

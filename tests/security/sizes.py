"""How much the security tests do, and where their figures go."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypeVar

SIZES = ("quick", "standard", "full")
SIZE = os.environ.get("CHATSYSTEM_SECURITY_SIZE", "quick")
FIGURES = "CHATSYSTEM_SECURITY_FIGURES"

Value = TypeVar("Value")


def by_size(*, quick: Value, standard: Value, full: Value) -> Value:
    """Return what this run's size asks for."""
    return {"quick": quick, "standard": standard, "full": full}[SIZE]


def note(
    name: str, value: float, *, goal: float | None = 0, unit: str = "count", better: str = "lower"
) -> None:
    """Keep a figure for `./run security`, which prints it and fails where a goal is missed.

    Args:
        name: the row of SECURITY.md and what was counted: `sec01.leaks`.
        goal: the worst value that is good; None where there is none.
    """
    target = os.environ.get(FIGURES)
    if target is None:
        return
    line = {
        "bench": "security", "name": name, "value": round(value, 3), "unit": unit, "goal": goal, "better": better,
    }  # fmt: skip
    with Path(target).open("a") as file:
        file.write(json.dumps(line) + "\n")

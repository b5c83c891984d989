"""How much the security tests do, and where their figures go."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

SIZES = ("quick", "standard", "full")
SIZE = os.environ.get("CHATSYSTEM_SECURITY_SIZE", "quick")
FIGURES = "CHATSYSTEM_SECURITY_FIGURES"

Value = TypeVar("Value")


def by_size(*, quick: Value, standard: Value, full: Value) -> Value:
    """Return what this run's size asks for."""
    return {"quick": quick, "standard": standard, "full": full}[SIZE]


def in_turn(values: Sequence[Value], place: int, *, every: int) -> Sequence[Value]:
    """Return all values; at a quick look one of so many, from another beginning at each place: each has its turn."""
    return by_size(quick=values[place % every :: every], standard=values, full=values)


def pieces(values: Sequence[Value], *, most: int = 40) -> list[Sequence[Value]]:
    """Cut a list into pieces that share what a test starts from: making that takes longer than asking."""
    return [values[at : at + most] for at in range(0, len(values), most)]


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

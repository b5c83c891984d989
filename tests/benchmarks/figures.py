"""Printing and arithmetic of figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median


def figure(
    *, bench: str, name: str, value: float, unit: str, goal: float | None = None, better: str = "lower"
) -> None:
    """Print one figure; a missed goal stands as missed."""
    line = {
        "bench": bench, "name": name, "value": round(value, 3), "unit": unit, "goal": goal, "better": better,
    }  # fmt: skip
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which so many of the values lie (0.95 for p95)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def middle(values: Iterable[float]) -> float:
    """Return the median."""
    return median(values)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def progress(text: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

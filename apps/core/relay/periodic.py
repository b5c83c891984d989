"""Duties the relay runs on a clock. Truth and due times live in rows; this only looks at them again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Duty = Callable[[], None]


@dataclass
class Scheduled:
    """A duty, how often it runs, and the monotonic time of its next run."""

    name: str
    seconds: float
    run: Duty
    due: float = 0.0


_duties: dict[str, Scheduled] = {}


def every(*, seconds: float) -> Callable[[Duty], Duty]:
    """Run the function about every so many seconds in the leading relay; it must be short and safe to repeat."""

    def register(duty: Duty) -> Duty:
        name = f"{duty.__module__.split('.')[1]}.{duty.__name__}"
        _duties[name] = Scheduled(name, seconds, duty)
        return duty

    return register


def due() -> list[Scheduled]:
    """Return the duties whose time has come and set their next time."""
    now = time.monotonic()
    ready = [duty for duty in _duties.values() if duty.due <= now]
    for duty in ready:
        duty.due = now + duty.seconds
    return ready

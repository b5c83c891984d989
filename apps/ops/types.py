"""Plain types of operations, and the terms on which processes say that they live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PULSES = "pulses"  # the hash in Redis
EVERY_SECONDS = 5.0
FRESH_SECONDS = 17.0  # three were missed: the process is gone, or cannot speak
FORGOTTEN_SECONDS = 3600.0

Tone = Literal["ok", "run", "warn", "bad", "off"]


@dataclass(frozen=True)
class Pulse:
    """What a process last said of itself."""

    process: str
    host: str
    pid: int
    instance: str
    started_at: datetime
    heard_at: datetime
    is_fresh: bool


@dataclass(frozen=True)
class KeptProcess:
    """A line of the supervisor's table on this machine; `state` may hold words such as `installing ai set`."""

    name: str
    pid: int | None
    state: str
    restarts: int
    since: datetime


@dataclass(frozen=True)
class PartStatus:
    """A part of the system as the console shows it.

    Attributes:
        key: stable; the anchor on the status page.
        said: what there is to say when it is well, or what is wrong.
        effect: what works less well because of it; empty when nothing does.
    """

    key: str
    name: str
    tone: Tone
    said: str
    effect: str = ""


@dataclass(frozen=True)
class Protection:
    """A protection as the security page shows it.

    Attributes:
        key: stable; the anchor on the page.
        said: on or off, or how much.
        why: the reason it is off or weaker, or what it costs; empty where there is nothing to add.
        page: slug of the console page where it is changed or seen in full; empty when settings or nothing decide.
    """

    key: str
    name: str
    tone: Tone
    said: str
    why: str = ""
    page: str = ""

"""Which processes live, from what they say themselves and from what the supervisor of this machine keeps."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import redis
from django.conf import settings
from django.utils.translation import gettext_noop

from apps.core.redis import client
from apps.ops.types import FORGOTTEN_SECONDS, FRESH_SECONDS, PULSES, KeptProcess, Pulse

logger = logging.getLogger(__name__)
# What the supervisor writes into its table, for translation.
STATES = (
    gettext_noop("starting"), gettext_noop("running"), gettext_noop("restarting"), gettext_noop("stopping"),
    gettext_noop("stopped"), gettext_noop("done"), gettext_noop("failed"), gettext_noop("installing ai set"),
)  # fmt: skip


def find_pulses() -> list[Pulse] | None:
    """Return the processes heard within the last hour, by name; None while Redis is away. One round trip."""
    try:
        said = client().hgetall(PULSES)
    except redis.RedisError:
        return None
    now = time.time()
    heard = [_pulse(orjson.loads(value), now) for value in said.values()]
    recent = [pulse for pulse in heard if now - pulse.heard_at.timestamp() < FORGOTTEN_SECONDS]
    return sorted(recent, key=lambda pulse: (pulse.process, pulse.host, pulse.pid))


def kept_processes() -> list[KeptProcess]:
    """Return the supervisor's table of this machine; empty where no supervisor of ours runs."""
    try:
        table = json.loads((Path(settings.DATA_DIR) / "run" / "processes.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        logger.warning("processes.unreadable", extra={"reason": type(error).__name__})
        return []
    kept = [_kept(line) for line in table]
    return (
        kept if any(_is_alive(line.pid) for line in kept) else []
    )  # left over by a supervisor that was killed


def _pulse(said: dict[str, Any], now: float) -> Pulse:
    return Pulse(
        process=said["process"],
        host=said["host"],
        pid=said["pid"],
        instance=said["instance"],
        started_at=datetime.fromtimestamp(said["started_at"], UTC),
        heard_at=datetime.fromtimestamp(said["heard_at"], UTC),
        is_fresh=now - said["heard_at"] < FRESH_SECONDS,
    )


def _kept(line: dict[str, Any]) -> KeptProcess:
    return KeptProcess(
        name=line["name"],
        pid=line["pid"],
        state=line["state"],
        restarts=line["restarts"],
        since=datetime.fromisoformat(line["since"]),
    )


def _is_alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()

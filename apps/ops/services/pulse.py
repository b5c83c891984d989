"""Each long-running process says that it lives, every few seconds, so that pages of another one can show it.

One hash in Redis, one field a process. A process that dies falls silent; without Redis nobody hears anybody, and the
status page says so.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from contextlib import suppress

import orjson
import redis
from django.conf import settings

from apps.core.redis import client
from apps.ops.types import EVERY_SECONDS, FORGOTTEN_SECONDS, PULSES

SPOKEN = ("web", "worker", "relay")
logger = logging.getLogger(__name__)
_started_at = time.time()


def start() -> None:
    """Speak from now on, where this process is one that others look for."""
    process = settings.CONFIGURATION.server.process
    if process in SPOKEN:
        atexit.register(_fall_silent, process)
        threading.Thread(target=_speak, args=(process,), name="pulse", daemon=True).start()


def say_once(process: str) -> None:
    """Say that this process lives.

    Raises:
        redis.RedisError: Redis is away.
    """
    said = {
        "process": process,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "instance": settings.INSTANCE,
        "started_at": _started_at,
        "heard_at": time.time(),
    }
    client().hset(PULSES, _field(process), orjson.dumps(said))


def forget_silent() -> int:
    """Remove what processes said that have long been silent; return how many.

    Raises:
        redis.RedisError: Redis is away.
    """
    now = time.time()
    silent = [
        name
        for name, said in client().hgetall(PULSES).items()
        if now - orjson.loads(said)["heard_at"] > FORGOTTEN_SECONDS
    ]
    return client().hdel(PULSES, *silent) if silent else 0


def _field(process: str) -> str:
    return f"{process}:{socket.gethostname()}:{os.getpid()}"


def _fall_silent(process: str) -> None:
    """A process that ends in order is not missed."""
    with suppress(redis.RedisError):
        client().hdel(PULSES, _field(process))


def _speak(process: str) -> None:
    pause = threading.Event()
    was_heard = is_new = True
    while True:
        try:
            say_once(process)
            if is_new:
                forget_silent()
            is_new = False
            was_heard = True
        except redis.RedisError as error:
            if was_heard:
                logger.warning("pulse.not_heard", extra={"reason": type(error).__name__})
            was_heard = False
        pause.wait(EVERY_SECONDS)

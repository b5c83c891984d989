"""Wake a worker up: a message that may get lost, double or late, as the truth is in the rows."""

from __future__ import annotations

import logging
from functools import lru_cache
from uuid import UUID

import redis
from celery import Celery
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.redis import client

TASK = "runs.work_on"
# Nobody waits for a broker that is away: the relay pokes again.
_IMPATIENT = {
    "max_retries": 1, "interval_start": 0, "interval_step": 0.05, "interval_max": 0.1, "connect_retries_timeout": 0.3,
    "socket_connect_timeout": 0.5, "socket_timeout": 1.0,
}  # fmt: skip
logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _sender() -> Celery:
    """Return an application that only sends, so that every process can poke without loading the wiring."""
    sender = Celery("poking", set_as_current=False)
    sender.config_from_object("django.conf:settings", namespace="CELERY")
    sender.conf.broker_transport_options = {**sender.conf.broker_transport_options, **_IMPATIENT}
    return sender


def poke(*, run_id: UUID, organization_id: UUID, queue: str) -> bool:
    """Ask some worker to look at the run.

    Returns:
        False when the broker is away; the relay pokes again what stays due.
    """
    return send(TASK, queue=queue, run_id=run_id, organization_id=organization_id)


def send(task: str, *, queue: str, **ids: UUID) -> bool:
    """Ask some worker to look at what these ids name; for apps whose work is rows with a due time, like runs.

    Returns:
        False when the broker is away.
    """
    kwargs = {name: str(value) for name, value in ids.items()}
    try:
        _sender().send_task(task, kwargs=kwargs, queue=queue, ignore_result=True, retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("run.not_poked", extra={"task": task, **kwargs, "reason": type(error).__name__})
        return False
    return True


def waiting(queue: str) -> int:
    """Return how many pokes lie in a queue; 0 where nobody can say."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "")
    try:
        return int(client().llen(f"{prefix}{queue}"))
    except redis.RedisError:
        return 0


def poke_after_commit(*, run_id: UUID, organization_id: UUID, queue: str) -> None:
    """Poke once the row can be seen."""
    transaction.on_commit(lambda: poke(run_id=run_id, organization_id=organization_id, queue=queue))

"""Repeat a write without harm: the effect and its answer commit together under the caller's retry key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.core.http.errors import IdempotencyKeyReused, RequestInProgress
from apps.core.models import RetryKey

KEPT = timedelta(hours=48)
_PRUNE_BATCH = 5000
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was, or will be, said to the caller."""

    status: int
    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request with a retry key.

    Attributes:
        request_hash: of everything that makes it the same request; another one under the same key is refused.
    """

    principal_id: UUID
    organization_id: UUID
    key: str
    request_hash: str


def run_once(
    attempt: Attempt, *, work: Callable[[], Answer], refuse: Callable[[Exception], Answer | None]
) -> tuple[Answer, bool]:
    """Do the work in a transaction and keep its answer, or return the answer of the first time.

    Args:
        work: writes to this database only; it may be rolled back.
        refuse: turns an exception into an answer that is kept too; None means that the request may be tried again,
            and the exception is raised.

    Returns:
        The answer, and whether it is a repeated one.

    Raises:
        RequestInProgress: the same key is being worked on right now.
        IdempotencyKeyReused: the key belongs to another request.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [f"retry:{attempt.organization_id}:{attempt.principal_id}:{attempt.key}"])
            if not cursor.fetchone()[0]:
                raise RequestInProgress(retry_after_seconds=1)
        kept = RetryKey.objects.filter(
            organization_id=attempt.organization_id, principal_id=attempt.principal_id, key=attempt.key
        ).first()
        if kept is not None:
            if kept.request_hash != attempt.request_hash:
                raise IdempotencyKeyReused
            return _kept_answer(kept), True
        answer = _worked(work, refuse)
        RetryKey.objects.create(
            organization_id=attempt.organization_id,
            principal_id=attempt.principal_id,
            key=attempt.key,
            request_hash=attempt.request_hash,
            status=answer.status,
            content_type=answer.content_type,
            body=answer.body,
            headers=dict(answer.headers),
        )
        return answer, False


def prune() -> int:
    """Delete keys older than two days, a batch at a time; return how many. Across organizations: for the relay."""
    total = 0
    while True:
        old = RetryKey.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")[
            :_PRUNE_BATCH
        ]
        deleted, _by_model = RetryKey.objects.filter(pk__in=old.values("pk")).delete()
        total += deleted
        if deleted < _PRUNE_BATCH:
            return total


def _worked(work: Callable[[], Answer], refuse: Callable[[Exception], Answer | None]) -> Answer:
    try:
        with transaction.atomic():
            return work()
    except Exception as error:
        answer = refuse(error)
        if answer is None:
            raise
        return answer


def _kept_answer(kept: RetryKey) -> Answer:
    return Answer(
        status=kept.status or 500, body=bytes(kept.body), content_type=kept.content_type, headers=kept.headers
    )

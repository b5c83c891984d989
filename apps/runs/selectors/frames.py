"""The stream of a run: who may follow it, what is stored of it, and how its frames look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import orjson
from django.db.models import Q

from apps.accounts.selectors.scopes import owned, visible_content
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.runs.errors import RunNotFound
from apps.runs.models import Run, RunFrame
from apps.runs.selectors.runs import visible_runs
from apps.runs.types import Frame

MOST = 10_000
FINAL_FRAME = "run.finished"


Guard = Callable[[Principal, UUID], bool]
_guards: dict[str, Guard] = {}


def register_guard(subject_type: str, guard: Guard) -> None:
    """Let an app say, by its subject, whether who may follow a run may still read what stands in its stream."""
    _guards[subject_type] = guard


def channel(run_id: UUID) -> str:
    """Return the Redis channel of a run's stream."""
    return f"r:{run_id}"


def encode(run_id: UUID, frame: Frame) -> bytes:
    """Return a frame as sockets send it."""
    body = {"frame": "stream", "run": run_id, "id": frame.number, "type": frame.type, "data": frame.data}
    return orjson.dumps(body)


def is_visible(principal: Principal, run_id: UUID) -> bool:
    """Return whether the principal may follow the run now.

    A stream holds content, such as an answer while it is written: whoever may see all runs of the organization sees
    how those of others go, but reads only the streams of work of the house. Work for an audience is followed by who is
    in it: whoever asked for it and left reads on no more.
    """
    own = (owned(principal, "principal_id") & Q(scope_id=None)) | visible_content(
        principal, time="created_at"
    )
    rows = visible_runs(principal).filter(own | Q(principal_id=None), pk=run_id)
    found = rows.values_list("subject_type", "subject_id").first()
    if found is None:
        return False
    subject_type, subject_id = found
    guard = _guards.get(subject_type)
    return guard is None or subject_id is None or guard(principal, subject_id)


def require_visible(principal: Principal, run_id: UUID) -> None:
    """Refuse a run the principal may not follow.

    Raises:
        RunNotFound: missing, or not visible.
    """
    if not is_visible(principal, run_id):
        raise RunNotFound


def is_told(*, run_id: UUID, after: int) -> bool:
    """Return whether a run is over and no frame after an id is kept: whoever heard them all waits for nothing.

    Two queries. The last frame is stored with the end of the run, so it is not overlooked between them.
    """
    runs = Run.objects.filter(organization_id=tenancy.current(), pk=run_id)
    return runs.exclude(finished_at=None).exists() and not stored(run_id=run_id, after=after, limit=1)


def after(*, run_id: UUID, after: int, limit: int = MOST) -> list[bytes]:
    """Return the stored frames after an id as sockets send them, oldest first. Rights are checked before."""
    return [encode(run_id, frame) for frame in stored(run_id=run_id, after=after, limit=limit)]


def stored(*, run_id: UUID, after: int, limit: int = MOST) -> Sequence[Frame]:
    """Return the stored frames after an id, oldest first; the caller has checked the rights."""
    rows = RunFrame.objects.filter(organization_id=tenancy.current(), run_id=run_id, number__gt=after)
    return [Frame(*row) for row in rows.order_by("number").values_list("number", "type", "data")[:limit]]

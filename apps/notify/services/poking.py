"""Wake workers for what is due; this is why an empty Redis is harmless."""

from __future__ import annotations

from apps.core import tenancy
from apps.notify.services import dispatching, urgent
from apps.runs.services import poking

TASK = "notify.deliver"
QUEUE = "default"
MOST = 100


def poke_due() -> int:
    """Poke for each person something is due to; return how many. A full queue is left alone: it holds pokes."""
    if poking.waiting(QUEUE) >= MOST:
        return 0
    poked = 0
    for organization_id, principal_id in dispatching.due_people(most=MOST):
        if not poking.send(TASK, queue=QUEUE, organization_id=organization_id, principal_id=principal_id):
            break  # the broker is away for all of them
        poked += 1
    return poked


def repeat_due() -> int:
    """Say again what is urgent and unread; return how much was due."""
    repeated = 0
    for organization_id, notification_id in urgent.due(most=MOST):
        with tenancy.use(organization_id):
            repeated += urgent.repeat(notification_id)
    return repeated

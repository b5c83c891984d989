"""Rotate the encryption keys of stored secrets: a run for each organization, and one look at what belongs to none."""

from __future__ import annotations

from collections import Counter

from django.db import transaction
from django.utils.translation import gettext_noop

from apps.accounts.selectors.administration import list_organization_ids
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.actions import KEY_ROTATION_STARTED
from apps.core.services import audit, key_rotation, secrets
from apps.runs.errors import RetryLater
from apps.runs.services.context import StepContext
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec

KIND = STEP = "ops.rotate_keys"
STAGE = gettext_noop("Encrypting stored secrets with the current key")


def start_rotation(*, principal: Principal | None) -> int:
    """Start a run in every organization and return how many; harmless twice.

    Args:
        principal: the operator who asks, whose own organization's run shows the progress; None from the command line.
    """
    organizations = list_organization_ids()
    for organization_id in organizations:
        own = principal if principal is not None and principal.organization_id == organization_id else None
        with tenancy.use(organization_id), transaction.atomic():
            start_run(kind=KIND, principal=own, steps=[StepSpec(STEP)])
            audit.record(
                organization_id=organization_id,
                action=KEY_ROTATION_STARTED,
                actor_id=own.id if own is not None else None,
                details={"key": secrets.current_key_id()},
            )
    return len(organizations)


def rotate(context: StepContext) -> int:
    """Bring the organization's stored secrets, and those of no organization, under the current key; return how many.

    Raises:
        RetryLater: somebody holds some of the rows right now.
    """
    secrets.forget()  # a key that was just added is the one to write with
    organization_id, done = context.organization_id, 0
    total = _left(key_rotation.count_by_key(organization_id=organization_id))
    for place in key_rotation.places():
        while moved := place.rotate(organization_id if place.is_tenant else None):
            done += moved
            context.progress(done, max(done, total), STAGE)
    if any(
        _left(place.count(organization_id if place.is_tenant else None)) for place in key_rotation.places()
    ):
        raise RetryLater
    return done


def _left(counts: Counter[str]) -> int:
    current = secrets.current_key_id()
    return sum(count for key, count in counts.items() if key != current)

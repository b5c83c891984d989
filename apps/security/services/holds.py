"""Place and release legal holds."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.selectors.personal import find_profile
from apps.accounts.services.access import require
from apps.accounts.services.trail import note
from apps.accounts.types import Principal
from apps.core.data_subjects import Person, hold_targets
from apps.core.retention import Held
from apps.security import actions
from apps.security.errors import HoldNotFound, HoldTargetInvalid, OnHold, ReasonMissing
from apps.security.models import LegalHold
from apps.security.selectors.holds import held, holds_on

MANAGE = "privacy.manage"
LONGEST_REASON = 500
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def place_hold(
    *,
    principal: Principal,
    reason: str,
    subject_id: UUID | None = None,
    target_kind: str = "",
    target_id: UUID | None = None,
) -> UUID:
    """Keep the data of a person, or everything in a place, until somebody releases it; return the hold's id.

    An erasure that is at work stops before its next batch.

    Raises:
        PermissionMissing, ReasonMissing, HoldTargetInvalid.
    """
    require(principal, MANAGE)
    cleaned = clean_reason(reason)
    _require_target(principal.organization_id, subject_id, target_kind, target_id)
    with transaction.atomic():
        _lock(principal.organization_id)
        row = LegalHold.objects.create(
            organization_id=principal.organization_id,
            subject_id=subject_id,
            target_kind=target_kind,
            target_id=target_id,
            reason=cleaned,
            placed_by_id=principal.id,
        )
        note(principal, actions.HOLD_PLACED, "legal_hold", row.pk, target=target_kind or "person")
    return row.pk


def release_hold(*, principal: Principal, hold_id: UUID) -> None:
    """End a hold. Repeating it changes nothing.

    Raises:
        PermissionMissing, HoldNotFound.
    """
    require(principal, MANAGE)
    rows = LegalHold.objects.filter(organization_id=principal.organization_id, pk=hold_id)
    if not rows.exists():
        raise HoldNotFound
    with transaction.atomic():
        if rows.filter(released_at=None).update(released_at=timezone.now(), released_by_id=principal.id):
            note(principal, actions.HOLD_RELEASED, "legal_hold", hold_id)


def require_free(person: Person) -> None:
    """Refuse to erase what is held; no hold can be placed until the caller's transaction ends.

    Raises:
        OnHold.
    """
    _lock(person.organization_id)
    if holds_on(person):
        raise OnHold


def lock_holds(organization_id: UUID) -> Held:
    """Return what is held; no hold can be placed until the caller's transaction ends."""
    _lock(organization_id)
    return held(organization_id)


def clean_reason(reason: str) -> str:
    """Return the reason in one line.

    Raises:
        ReasonMissing.
    """
    cleaned = " ".join(reason.replace("\x00", " ").encode("utf-8", "ignore").decode().split())
    if not 1 <= len(cleaned) <= LONGEST_REASON:
        raise ReasonMissing
    return cleaned


def _require_target(
    organization_id: UUID, subject_id: UUID | None, kind: str, target_id: UUID | None
) -> None:
    if subject_id is not None and not kind and target_id is None:
        if find_profile(organization_id=organization_id, user_id=subject_id) is None:
            raise HoldTargetInvalid
        return
    target = hold_targets().get(kind)
    if subject_id is not None or target is None or target_id is None:
        raise HoldTargetInvalid
    if target_id not in target.names(organization_id, [target_id]):
        raise HoldTargetInvalid


def _lock(organization_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"privacy.holds:{organization_id}"])

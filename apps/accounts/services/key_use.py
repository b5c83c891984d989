"""API keys in use: remembered, refused, and suspended when nobody uses them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest
from django.utils import timezone

from apps.accounts import actions, events
from apps.accounts.models import ApiKey, Member
from apps.accounts.selectors.principals import find_key
from apps.accounts.services.revocation import revoke_access
from apps.core import tenancy
from apps.core.events import log
from apps.core.services import audit

_TOUCH_SECONDS = 60.0
_MOST_TOUCHED = 10_000
_touched: OrderedDict[UUID, float] = OrderedDict()
_lock = threading.Lock()


def touch_key(key_id: UUID, *, address: str = "") -> None:
    """Remember that a key was used, and from where; one write a minute and process at most."""
    with _lock:
        now = time.monotonic()
        if now - _touched.get(key_id, -_TOUCH_SECONDS) < _TOUCH_SECONDS:
            return
        _touched[key_id] = now
        _touched.move_to_end(key_id)
        if len(_touched) > _MOST_TOUCHED:
            _touched.popitem(last=False)
    moment = timezone.now()
    ApiKey.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=moment - timedelta(seconds=_TOUCH_SECONDS)), pk=key_id
    ).update(last_used_at=moment, last_used_address=address or None)


def note_refused(secret: str) -> None:
    """Record that a key was shown that opens nothing (here, or any more), in the trail of its organization if any."""
    found = find_key(secret)
    if found is None:
        audit.record_refusal(
            organization_id=None, action=actions.KEY_REFUSED, actor_id=None, reason="unknown"
        )
        return
    organization_id, key_id = found
    with tenancy.use(organization_id):
        key = ApiKey.objects.get(organization_id=organization_id, pk=key_id)
        audit.record_refusal(
            organization_id=organization_id,
            action=actions.KEY_REFUSED,
            actor_id=key.principal_id,
            object_type="api_key",
            object_id=key.pk,
            reason=_why_refused(key),
        )


def suspend_unused(*, organization_id: UUID, unused_days: int) -> int:
    """Suspend the organization's keys that nobody used for so long, tell their owners, return how many.

    Safe to repeat: a suspended key is left as it is.
    """
    limit = timezone.now() - timedelta(days=unused_days)
    since = Greatest("created_at", "last_used_at", "reactivated_at")
    with transaction.atomic():
        rows = ApiKey.objects.select_for_update(no_key=True, skip_locked=True).filter(
            organization_id=organization_id, revoked_at=None, suspended_at=None, expires_at__gt=timezone.now()
        )
        idle = list(rows.annotate(since=since).filter(since__lt=limit).order_by("pk"))
        for key in idle:
            _suspend(key)
    return len(idle)


def _suspend(key: ApiKey) -> None:
    key.suspended_at = timezone.now()
    key.save(update_fields=["suspended_at"])
    audit.record(
        organization_id=key.organization_id,
        action=actions.KEY_SUSPENDED,
        actor_id=None,
        object_type="api_key",
        object_id=key.pk,
    )
    revoke_access(
        organization_id=key.organization_id,
        principal_id=key.principal_id,
        session=str(key.pk),
        reason="key_unused",
    )
    member = Member.objects.filter(organization_id=key.organization_id, user_id=key.principal_id).first()
    if member is None:
        return
    log.record(
        events.KeySuspended(
            organization_id=key.organization_id,
            stream_id=member.pk,
            principal_id=key.principal_id,
            key=key.pk,
            name=key.name,
        )
    )


def _why_refused(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at <= timezone.now():
        return "expired"
    if key.suspended_at is not None:
        return "suspended"
    return "address" if key.networks else "owner"

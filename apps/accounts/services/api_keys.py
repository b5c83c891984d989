"""Bearer keys: shown once, stored as a hash, narrowed to scopes, always with an end."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import (
    KeyLifeTooLong,
    KeyNotFound,
    KeyScopeAboveOwn,
    KeyScopesMissing,
    MemberNotFound,
    UnknownKeyScope,
)
from apps.accounts.models import ApiKey, Member
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.services import trail
from apps.accounts.services.access import can, require
from apps.accounts.services.names import clean_name
from apps.accounts.services.revocation import revoke_access
from apps.accounts.services.secrets import base62
from apps.accounts.types import KEY_SCOPES, IssuedKey, Principal
from apps.core.services import audit

LONGEST_DAYS = 365
LONGEST_OVERLAP = timedelta(days=7)
PREFIX = "ck_"
_TOUCH_SECONDS = 60.0
_MOST_TOUCHED = 10_000
_touched: OrderedDict[UUID, float] = OrderedDict()
_lock = threading.Lock()


def issue_key(
    *,
    principal: Principal,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    owner_id: UUID | None = None,
) -> IssuedKey:
    """Make a key for the acting principal, or for another member such as a bot.

    Args:
        expires_at: in the future, at most 365 days away.
        owner_id: who the key acts as; None is the acting principal.

    Raises:
        PermissionMissing, NameNotValid, UnknownKeyScope, KeyScopesMissing, KeyLifeTooLong, MemberNotFound.
        KeyScopeAboveOwn: asked with a key that lacks one of the scopes.
    """
    owner_id = owner_id or principal.id
    require(principal, "api_key.own" if owner_id == principal.id else "api_key.manage")
    wanted = _clean_scopes(principal, scopes)
    _require_life(expires_at)
    with transaction.atomic():
        issued = _store(
            organization_id=principal.organization_id,
            owner_id=owner_id,
            name=clean_name(name),
            scopes=wanted,
            expires_at=expires_at,
        )
        trail.note(
            principal, actions.KEY_CREATED, "api_key", issued.id, owner=owner_id, scopes=list(issued.scopes)
        )
    return issued


def issue_for(
    *, organization_id: UUID, owner_id: UUID, name: str, scopes: Iterable[str], expires_at: datetime
) -> IssuedKey:
    """Make a key without an acting principal (first start, demo data, an operator's command).

    Raises:
        MemberNotFound, KeyLifeTooLong, UnknownKeyScope.
    """
    wanted = tuple(dict.fromkeys(scopes))
    _require_known(wanted)
    _require_life(expires_at)
    return _store(
        organization_id=organization_id, owner_id=owner_id, name=name, scopes=wanted, expires_at=expires_at
    )


def rotate_key(*, principal: Principal, key_id: UUID, overlap: timedelta = timedelta(days=1)) -> IssuedKey:
    """Make a successor with the same name, scopes and length of life; the old key ends after the overlap.

    Args:
        overlap: 0 to 7 days in which both work, so that no call fails while the key is exchanged.

    Raises:
        PermissionMissing, KeyNotFound, KeyLifeTooLong: the overlap, KeyScopeAboveOwn.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise KeyLifeTooLong(days=LONGEST_OVERLAP.days)
    with transaction.atomic():
        old = _own_or_managed(principal, key_id)
        if old.revoked_at is not None or old.expires_at <= timezone.now():
            raise KeyNotFound
        scopes = _clean_scopes(principal, old.scopes)
        now = timezone.now()
        issued = _store(
            organization_id=old.organization_id,
            owner_id=old.principal_id,
            name=old.name,
            scopes=scopes,
            expires_at=now + min(old.expires_at - old.created_at, timedelta(days=LONGEST_DAYS)),
        )
        if overlap:
            old.expires_at = min(old.expires_at, now + overlap)
            old.save(update_fields=["expires_at"])
        else:
            _revoke(old)
        trail.note(principal, actions.KEY_ROTATED, "api_key", old.pk, successor=issued.id)
    return issued


def revoke_key(*, principal: Principal, key_id: UUID) -> None:
    """End a key and the sockets opened with it. Repeating it changes nothing.

    Raises:
        PermissionMissing, KeyNotFound.
    """
    with transaction.atomic():
        key = _own_or_managed(principal, key_id)
        if key.revoked_at is None:
            _revoke(key)
            trail.note(principal, actions.KEY_REVOKED, "api_key", key.pk, owner=key.principal_id)


def revoke_as_operator(*, key_id: UUID, operator_id: UUID) -> None:
    """End a key from the operator's admin, which stands above organizations; the caller opened the key's own.

    Raises:
        KeyNotFound.
    """
    with transaction.atomic():
        key = ApiKey.objects.select_for_update(no_key=True).filter(pk=key_id).first()
        if key is None:
            raise KeyNotFound
        if key.revoked_at is None:
            _revoke(key)
            audit.record(
                organization_id=key.organization_id,
                action=actions.KEY_REVOKED,
                actor_id=operator_id,
                object_type="api_key",
                object_id=key.pk,
                details={"owner": key.principal_id, "by_operator": True},
            )


def note_refused(secret: str) -> None:
    """Record that a key was shown that opens nothing (any more), in the trail of its organization if it has one."""
    key = ApiKey.objects.filter(hash=hash_secret(secret)).first()
    reason = "unknown"
    if key is not None:
        reason = "revoked" if key.revoked_at else "expired" if key.expires_at <= timezone.now() else "owner"
    audit.record_refusal(
        organization_id=key.organization_id if key else None,
        action=actions.KEY_REFUSED,
        actor_id=key.principal_id if key else None,
        object_type="api_key" if key else "",
        object_id=key.pk if key else None,
        reason=reason,
    )


def touch_key(key_id: UUID) -> None:
    """Remember that a key was used; one write a minute and process at most."""
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
    ).update(last_used_at=moment)


def _store(
    *, organization_id: UUID, owner_id: UUID, name: str, scopes: tuple[str, ...], expires_at: datetime
) -> IssuedKey:
    if not Member.objects.filter(
        organization_id=organization_id, user_id=owner_id, deactivated_at=None
    ).exists():
        raise MemberNotFound
    prefix = PREFIX + base62(8)
    secret = prefix + base62()
    key = ApiKey.objects.create(
        organization_id=organization_id,
        principal_id=owner_id,
        name=name,
        prefix=prefix,
        hash=hash_secret(secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return IssuedKey(key.pk, name, prefix, secret, scopes, expires_at)


def _revoke(key: ApiKey) -> None:
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    revoke_access(
        organization_id=key.organization_id,
        principal_id=key.principal_id,
        session=str(key.pk),
        reason="key_revoked",
    )


def _own_or_managed(principal: Principal, key_id: UUID) -> ApiKey:
    """Lock a key of the principal, or of anyone for who may manage keys; others do not learn that it exists."""
    rows = ApiKey.objects.select_for_update(no_key=True).filter(
        organization_id=principal.organization_id, pk=key_id
    )
    if not can(principal, "api_key.manage"):
        require(principal, "api_key.own")
        rows = rows.filter(principal_id=principal.id)
    key = rows.first()
    if key is None:
        raise KeyNotFound
    return key


def _clean_scopes(principal: Principal, scopes: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(scopes))
    if not wanted:
        raise KeyScopesMissing
    _require_known(wanted)
    if principal.key_scopes is not None and not set(wanted) <= principal.key_scopes:
        raise KeyScopeAboveOwn
    return wanted


def _require_known(scopes: tuple[str, ...]) -> None:
    for scope in scopes:
        if scope not in KEY_SCOPES:
            raise UnknownKeyScope(name=scope)


def _require_life(expires_at: datetime) -> None:
    life = expires_at - timezone.now()
    if not timedelta(0) < life <= timedelta(days=LONGEST_DAYS, minutes=1):
        raise KeyLifeTooLong(days=LONGEST_DAYS)

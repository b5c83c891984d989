"""Bearer keys: shown once, stored as a hash, narrowed to scopes, conversations and networks, always with an end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.conditions import clean_networks
from apps.accounts.errors import (
    ConversationsNotKnown,
    KeyLifeTooLong,
    KeyNotFound,
    KeyNotSuspended,
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
from apps.accounts.services.secrets import checked_secret, is_well_formed
from apps.accounts.types import KEY_SCOPES, NO_LIMITS, IssuedKey, KeyLimits, Principal
from apps.core.services import audit

LONGEST_DAYS = 365
LONGEST_OVERLAP = timedelta(days=7)
PREFIX = "ck_"
MOST_CONVERSATIONS = 100
_SHOWN = 11  # the prefix and eight characters

FindScopes = Callable[[Principal, Sequence[UUID]], Mapping[UUID, UUID]]
_find_scopes: list[FindScopes] = []


def register_conversations(find: FindScopes) -> None:
    """Let the app of conversations say which of these ids the principal sees, and their scopes."""
    _find_scopes[:] = [find]


def issue_key(
    *,
    principal: Principal,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    owner_id: UUID | None = None,
    limits: KeyLimits = NO_LIMITS,
) -> IssuedKey:
    """Make a key for the acting principal, or for another member such as a bot.

    Args:
        expires_at: in the future, at most 365 days away.
        owner_id: who the key acts as; None is the acting principal.

    Raises:
        PermissionMissing, NameNotValid, UnknownKeyScope, KeyScopesMissing, KeyLifeTooLong, MemberNotFound.
        NetworkNotValid, ConversationsNotKnown.
        KeyScopeAboveOwn: asked with a key that lacks one of the scopes.
    """
    owner_id = owner_id or principal.id
    require(principal, "api_key.own" if owner_id == principal.id else "api_key.manage")
    wanted = clean_key_scopes(principal, scopes)
    _require_life(expires_at)
    key = ApiKey(
        organization_id=principal.organization_id,
        principal_id=owner_id,
        name=clean_name(name),
        scopes=list(wanted),
        expires_at=expires_at,
        networks=list(clean_networks(limits.networks)),
        **_bounds(principal, limits),
    )
    with transaction.atomic():
        issued = _store(key)
        trail.note(
            principal,
            actions.KEY_CREATED,
            "api_key",
            issued.id,
            owner=owner_id,
            scopes=list(issued.scopes),
            networks=key.networks,
            conversations=key.conversations,
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
        ApiKey(
            organization_id=organization_id,
            principal_id=owner_id,
            name=name,
            scopes=list(wanted),
            expires_at=expires_at,
        )
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
        scopes = clean_key_scopes(principal, old.scopes)
        now = timezone.now()
        issued = _store(
            ApiKey(
                organization_id=old.organization_id,
                principal_id=old.principal_id,
                name=old.name,
                scopes=list(scopes),
                conversations=old.conversations,
                scope_ids=old.scope_ids,
                networks=old.networks,
                expires_at=now + min(old.expires_at - old.created_at, timedelta(days=LONGEST_DAYS)),
            )
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


def reactivate_key(*, principal: Principal, key_id: UUID) -> None:
    """Let a key that was suspended for want of use work again, with its old end.

    Raises:
        PermissionMissing, KeyNotFound: also for one that ended.
        KeyNotSuspended.
    """
    with transaction.atomic():
        key = _own_or_managed(principal, key_id)
        if key.revoked_at is not None or key.expires_at <= timezone.now():
            raise KeyNotFound
        if key.suspended_at is None:
            raise KeyNotSuspended
        key.suspended_at, key.reactivated_at = None, timezone.now()
        key.save(update_fields=["suspended_at", "reactivated_at"])
        audit.record(
            organization_id=key.organization_id,
            action=actions.KEY_REACTIVATED,
            actor_id=principal.id,
            object_type="api_key",
            object_id=key.pk,
        )


def is_key(text: str) -> bool:
    """Return whether a text has the form and checksum of a key, as scanners for leaked secrets ask."""
    return is_well_formed(text, PREFIX)


def _bounds(principal: Principal, limits: KeyLimits) -> dict[str, list[UUID] | None]:
    """Return the conversations a new key is bound to, with their scopes; a bound key makes no wider one."""
    if limits.conversations is None and principal.conversations is None:
        return {"conversations": None, "scope_ids": None}
    asked = principal.conversations if limits.conversations is None else limits.conversations
    wanted = sorted(set(asked or ()))
    if not wanted or len(wanted) > MOST_CONVERSATIONS:
        raise ConversationsNotKnown
    return {
        "conversations": wanted,
        "scope_ids": sorted(set(known_conversations(principal, wanted).values())),
    }


def known_conversations(principal: Principal, wanted: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Return the scopes of conversations the principal sees.

    Raises:
        ConversationsNotKnown: one of them is missing or hidden.
    """
    known = _find_scopes[0](principal, wanted) if _find_scopes and wanted else {}
    if set(known) != set(wanted):
        raise ConversationsNotKnown
    return known


def _store(key: ApiKey) -> IssuedKey:
    if not Member.objects.filter(
        organization_id=key.organization_id, user_id=key.principal_id, deactivated_at=None
    ).exists():
        raise MemberNotFound
    secret = checked_secret(PREFIX)
    key.prefix, key.hash = secret[:_SHOWN], hash_secret(secret)
    key.save(force_insert=True)
    return IssuedKey(key.pk, key.name, key.prefix, secret, tuple(key.scopes), key.expires_at)


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


def clean_key_scopes(principal: Principal, scopes: Iterable[str]) -> tuple[str, ...]:
    """Return key scopes, each once.

    Raises:
        KeyScopesMissing, UnknownKeyScope.
        KeyScopeAboveOwn: the acting principal was narrowed itself and lacks one.
    """
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

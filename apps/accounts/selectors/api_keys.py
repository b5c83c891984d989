"""API keys in lists; the secret is nowhere."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.errors import KeyNotFound
from apps.accounts.models import ApiKey
from apps.accounts.types import KeyView, Principal


def list_keys(principal: Principal, *, everyones: bool = False) -> list[KeyView]:
    """Return the keys of the acting principal, newest first, revoked ones too. One query.

    Args:
        everyones: all keys of the organization; the caller has checked `api_key.manage`.
    """
    rows = ApiKey.objects.filter(organization_id=principal.organization_id).order_by("-created_at", "-pk")
    if not everyones:
        rows = rows.filter(principal_id=principal.id)
    return [_view(row) for row in rows]


def get_key(principal: Principal, key_id: UUID, *, everyones: bool = False) -> KeyView:
    """Return one key of `list_keys`.

    Raises:
        KeyNotFound.
    """
    rows = ApiKey.objects.filter(organization_id=principal.organization_id, pk=key_id)
    if not everyones:
        rows = rows.filter(principal_id=principal.id)
    row = rows.first()
    if row is None:
        raise KeyNotFound
    return _view(row)


def _view(row: ApiKey) -> KeyView:
    return KeyView(
        id=row.pk,
        owner_id=row.principal_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        conversations=None if row.conversations is None else tuple(row.conversations),
        networks=tuple(row.networks),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        suspended_at=row.suspended_at,
        last_used_at=row.last_used_at,
        last_used_address=row.last_used_address,
        created_at=row.created_at,
    )

"""Clients that are signed in by tokens, in lists; the secrets are nowhere."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import TokenFamily, User
from apps.accounts.types import Principal, TokenView


def list_tokens(principal: Principal, *, everyones: bool = False) -> list[TokenView]:
    """Return the open families of the acting principal, latest use first. One query.

    Args:
        everyones: all of the organization but apps that act for themselves; the caller has checked `api_key.manage`.
    """
    rows = TokenFamily.objects.filter(
        organization_id=principal.organization_id, ended_at=None, expires_at__gt=timezone.now()
    ).order_by("-last_used_at", "-pk")
    if everyones:
        brief = Q(
            client__isnull=False, principal__kind=User.Kind.SERVICE
        )  # many, and the page of apps ends them
        rows = rows.exclude(brief)
    else:
        rows = rows.filter(principal_id=principal.id)
    return [_view(row, principal) for row in rows]


def is_signed_in_since(principal: Principal, moment: datetime) -> bool:
    """Return whether the person signed the acting client in, with all it was asked for, after a moment. One query."""
    return TokenFamily.objects.filter(
        organization_id=principal.organization_id, pk=UUID(principal.session), created_at__gte=moment
    ).exists()


def _view(row: TokenFamily, principal: Principal) -> TokenView:
    return TokenView(
        id=row.pk,
        owner_id=row.principal_id,
        name=row.name,
        scopes=None if row.scopes is None else tuple(row.scopes),
        address=row.address,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        is_current=principal.session == str(row.pk),
    )

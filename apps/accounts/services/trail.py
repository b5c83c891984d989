"""Write the acts of principals and of people into the audit trail; for this app and those above it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.accounts.actions import ACCESS_REFUSED
from apps.accounts.models import User
from apps.accounts.selectors.seats import open_seats_of
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.errors import DomainError
from apps.core.services import audit

_NOBODY = UUID(int=0)


def note(
    principal: Principal,
    action: str,
    object_type: str = "",
    object_id: UUID | str | int | None = None,
    *,
    person: str = "",
    **details: Any,
) -> None:
    """Record what a principal did in its organization, in the transaction of the change.

    Args:
        person: an e-mail or name, where no id says who was meant.
        details: ids and short values.
    """
    audit.record(
        organization_id=principal.organization_id,
        action=action,
        actor_id=_actor(principal),
        on_behalf_of=_asker(principal),
        object_type=object_type,
        object_id=object_id,
        details=details,
        person=person,
    )


def note_account(user_id: UUID, action: str, *, actor_id: UUID | None = None, **details: Any) -> None:
    """Record what happened to an account, once in the trail of each organization the person has a seat in.

    An operator of the server stands above organizations and is in the installation's trail, too; so is an account
    that belongs nowhere.

    Args:
        actor_id: None is the person itself.
    """
    for organization_id in _trails(user_id):
        with tenancy.nobody():  # the page may have been another organization's
            audit.record(
                organization_id=organization_id,
                action=action,
                actor_id=actor_id or user_id,
                object_type="account",
                object_id=user_id,
                details=details,
            )


def refuse_account(user_id: UUID | None, action: str, *, reason: str, person: str = "") -> None:
    """Record a refused attempt at an account, known or not, in the same trails; survives a rollback.

    For nobody the same is asked as for somebody: the time of the answer must not tell whether there is an account.

    Args:
        user_id: None where nobody of that name exists.
        person: what was typed.
    """
    for organization_id in _trails(user_id or _NOBODY):
        with tenancy.nobody():
            audit.record_refusal(
                organization_id=organization_id,
                action=action,
                actor_id=None,
                object_type="account" if user_id else "",
                object_id=user_id,
                reason=reason,
                person=person,
            )


def refused(principal: Principal, error: DomainError, **details: Any) -> DomainError:
    """Record that a principal was refused something only some may do, and return the refusal to raise."""
    audit.record_refusal(
        organization_id=principal.organization_id,
        action=ACCESS_REFUSED,
        actor_id=_actor(principal),
        on_behalf_of=_asker(principal),
        reason=error.code,
        details=details,
    )
    return error


def _actor(principal: Principal) -> UUID:
    """Return who acted; in a view as somebody else it is the one who looks."""
    return principal.viewed_by or principal.id


def _asker(principal: Principal) -> UUID | None:
    """Return for whom; in a view as somebody else it is the person as who pages are looked at."""
    return principal.id if principal.viewed_by else principal.on_behalf_of


def _trails(user_id: UUID) -> Iterable[UUID | None]:
    found: list[UUID | None] = [*open_seats_of(user_id)]
    is_operator = User.objects.filter(pk=user_id, is_staff=True).exists()
    return [*found, None] if is_operator or not found else found

"""End or change access: the event for sockets and consumers, the signal for the caches of all processes."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import events
from apps.accounts.models import Member, TokenFamily
from apps.accounts.selectors.seats import seats_of
from apps.accounts.services import principal_cache
from apps.core import tenancy
from apps.core.events import log


def revoke_access(*, organization_id: UUID, principal_id: UUID, reason: str, session: str = "") -> None:
    """Record that a session, a key, a token family, or everything of a principal in the organization ended.

    Args:
        session: id of the session, key or family; empty for all, which also ends every open family.
    """
    if not session:
        TokenFamily.objects.filter(
            organization_id=organization_id, principal_id=principal_id, ended_at=None
        ).update(ended_at=timezone.now(), end_reason=reason)
    member_id = _stream(organization_id, principal_id)
    if member_id is not None:
        log.record(
            events.AccessRevoked(
                organization_id=organization_id,
                stream_id=member_id,
                principal_id=principal_id,
                session=session,
                reason=reason,
            )
        )
    _announce(organization_id=organization_id, principal_id=principal_id, session=session)


def revoke_everywhere(*, user_id: UUID, reason: str, session: str = "") -> None:
    """Record the end of a browser session, or of all of a person's, in each of its organizations."""
    for organization_id in seats_of(user_id):
        with tenancy.use(organization_id):
            revoke_access(
                organization_id=organization_id, principal_id=user_id, reason=reason, session=session
            )
    _announce(principal_id=user_id, session=session)


def change_access(*, organization_id: UUID, principal_id: UUID, role: str) -> None:
    """Record that a principal's rights in the organization are others now; needs a transaction."""
    member_id = _stream(organization_id, principal_id)
    if member_id is not None:
        log.record(
            events.AccessChanged(
                organization_id=organization_id, stream_id=member_id, principal_id=principal_id, role=role
            )
        )
    _announce(organization_id=organization_id, principal_id=principal_id)


def forget(*, user_id: UUID) -> None:
    """Let every process look this user up again after the commit; nothing ended."""
    _announce(principal_id=user_id)


def forget_organization(*, organization_id: UUID) -> None:
    """Let every process look everyone of the organization up again after the commit: a role changed."""
    transaction.on_commit(lambda: principal_cache.announce(organization_id=organization_id))


def _stream(organization_id: UUID, principal_id: UUID) -> UUID | None:
    return (
        Member.objects.filter(organization_id=organization_id, user_id=principal_id)
        .values_list("pk", flat=True)
        .first()
    )


def _announce(*, organization_id: UUID | None = None, principal_id: UUID, session: str = "") -> None:
    transaction.on_commit(
        lambda: principal_cache.announce(
            organization_id=organization_id, principal_id=principal_id, session=session
        )
    )

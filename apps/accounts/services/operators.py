"""What only operators of the server do, above organizations."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts import actions
from apps.accounts.errors import MemberNotFound
from apps.accounts.models import User
from apps.accounts.services import trail
from apps.accounts.services.sessions import end_all


def end_sessions(*, user_id: UUID, operator_id: UUID) -> None:
    """Sign an account out everywhere."""
    with transaction.atomic():
        end_all(user_id=user_id, reason="ended_by_operator")
        trail.note_account(user_id, actions.SESSION_REVOKED, actor_id=operator_id, all=True)


def close_account(*, user_id: UUID, operator_id: UUID) -> None:
    """Switch an account off everywhere: nothing of it signs in, its sessions, sockets and keys stop at once.

    Raises:
        MemberNotFound.
    """
    with transaction.atomic():
        _switch(user_id, is_active=False)
        end_all(user_id=user_id, reason="account_closed")
        trail.note_account(user_id, actions.ACCOUNT_CLOSED, actor_id=operator_id)


def open_account(*, user_id: UUID, operator_id: UUID) -> None:
    """Switch an account on again; its keys work as before, sessions that ended stay ended.

    Raises:
        MemberNotFound.
    """
    with transaction.atomic():
        _switch(user_id, is_active=True)
        trail.note_account(user_id, actions.ACCOUNT_OPENED, actor_id=operator_id)


def _switch(user_id: UUID, *, is_active: bool) -> None:
    if not User.objects.filter(pk=user_id).update(is_active=is_active):
        raise MemberNotFound

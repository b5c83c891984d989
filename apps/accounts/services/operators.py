"""What only operators of the server do, above organizations."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.errors import MemberNotFound
from apps.accounts.models import User
from apps.accounts.services.sessions import end_all


def close_account(*, user_id: UUID) -> None:
    """Switch an account off everywhere: nothing of it signs in, its sessions, sockets and keys stop at once.

    Raises:
        MemberNotFound.
    """
    with transaction.atomic():
        _switch(user_id, is_active=False)
        end_all(user_id=user_id, reason="account_closed")


def open_account(*, user_id: UUID) -> None:
    """Switch an account on again; its keys work as before, sessions that ended stay ended.

    Raises:
        MemberNotFound.
    """
    with transaction.atomic():
        _switch(user_id, is_active=True)


def _switch(user_id: UUID, *, is_active: bool) -> None:
    if not User.objects.filter(pk=user_id).update(is_active=is_active):
        raise MemberNotFound

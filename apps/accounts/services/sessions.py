"""End browser sessions for real: the stored session, its line in the list, its sockets."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import SessionNotFound
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import find_session_key, store
from apps.accounts.services import trail
from apps.accounts.services.revocation import revoke_everywhere

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - shown for a Unix socket, never bound
_TRACK_SECONDS = 60.0
_LONGEST_AGENT = 200
_MOST_TRACKED = 10_000
_tracked: OrderedDict[str, float] = OrderedDict()
_lock = threading.Lock()


def end_session(*, user_id: UUID, session: str, reason: str = "session_ended") -> None:
    """End one session of a user by the id the list shows.

    Raises:
        SessionNotFound: unknown, or another user's.
    """
    key = find_session_key(user_id=user_id, session=session)
    if key is None:
        raise SessionNotFound
    with transaction.atomic():
        end_key(user_id=user_id, session_key=key, reason=reason)
        trail.note_account(user_id, actions.SESSION_REVOKED, ended=session)


def end_key(*, user_id: UUID, session_key: str, reason: str = "signed_out") -> None:
    """End the session with this key."""
    with transaction.atomic():
        _delete([session_key])
        revoke_everywhere(user_id=user_id, session=session_id(session_key), reason=reason)


def end_others(*, user_id: UUID, keep_key: str, reason: str = "session_ended") -> int:
    """End every session of a user but one; return how many."""
    with transaction.atomic():
        rows = UserSession.objects.filter(user_id=user_id).exclude(session_key=keep_key)
        keys = list(rows.order_by("pk").values_list("session_key", flat=True))
        _delete(keys)
        for key in keys:
            revoke_everywhere(user_id=user_id, session=session_id(key), reason=reason)
        if keys:
            trail.note_account(user_id, actions.SESSION_REVOKED, ended=[session_id(key) for key in keys])
    return len(keys)


def end_all(*, user_id: UUID, reason: str, keep_key: str | None = None) -> None:
    """End every session and socket of a user: after a password change, or when the person leaves.

    Args:
        keep_key: this browser stays signed in; its sockets reconnect.
    """
    with transaction.atomic():
        rows = UserSession.objects.filter(user_id=user_id).exclude(session_key=keep_key)
        _delete(list(rows.values_list("session_key", flat=True)))
        revoke_everywhere(user_id=user_id, reason=reason)


def track(*, user_id: UUID, session_key: str, address: str, user_agent: str) -> None:
    """Remember that a browser was here, for the list of sessions; one write a minute and process at most."""
    with _lock:
        now = time.monotonic()
        if now - _tracked.get(session_key, -_TRACK_SECONDS) < _TRACK_SECONDS:
            return
        _tracked[session_key] = now
        _tracked.move_to_end(session_key)
        if len(_tracked) > _MOST_TRACKED:
            _tracked.popitem(last=False)
    values = {
        "last_seen_at": timezone.now(),
        "ip": address or UNKNOWN_ADDRESS,
        "user_agent": user_agent[:_LONGEST_AGENT],
    }
    if UserSession.objects.filter(session_key=session_key, user_id=user_id).update(**values):
        return
    try:
        with transaction.atomic():
            UserSession.objects.update_or_create(
                session_key=session_key, defaults={**values, "user_id": user_id}
            )
    except IntegrityError:
        # Two first requests of one browser at once: the other one wrote the same line.
        UserSession.objects.filter(session_key=session_key, user_id=user_id).update(**values)


def _delete(keys: list[str]) -> None:
    for key in keys:
        store(key).delete()
    UserSession.objects.filter(session_key__in=keys).delete()

"""The signed-in browsers of a user, and who a session cookie belongs to."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django_otp import DEVICE_ID_SESSION_KEY

from apps.accounts.models import User
from apps.accounts.selectors.principals import session_id
from apps.accounts.types import SessionView, SignedIn

SIGNED_IN_AT, USED_ON, VIEW_AS = "signed_in_at", "used_on", "view_as"
_STORED = (
    "SELECT session_key, session_data FROM django_session WHERE session_key = ANY(%s) AND expire_date > %s"
)
LONGEST_SECONDS = 30 * 24 * 3600  # whatever its use, a session ends then


def list_sessions(*, user_id: UUID, current_key: str = "") -> list[SessionView]:
    """Return the open sessions of a user, latest use first. One query."""
    is_open = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    rows = UserSession.objects.filter(Exists(is_open), user_id=user_id).order_by("-last_seen_at", "-pk")
    return [
        SessionView(
            id=session_id(row.session_key),
            address=row.ip,
            user_agent=row.user_agent,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current_key,
        )
        for row in rows
    ]


def find_user_id(session_key: str) -> UUID | None:
    """Return the active user a session belongs to, or None, see `find_signed_in`."""
    found = find_signed_in(session_key)
    return found.user_id if found is not None else None


def find_signed_in(session_key: str) -> SignedIn | None:
    """Return who is signed in with a session, or None: ended, too old, or from before a password change.

    A session on the way to its second factor belongs to nobody yet. Two queries. The same checks as Django's
    `get_user`, without a request.
    """
    return who_signed_in([session_key]).get(session_key)


def who_signed_in(session_keys: Collection[str]) -> dict[str, SignedIn]:
    """Return who is signed in with which of these sessions, see `find_signed_in`. Two queries."""
    begun = {
        key: data
        for key, data in _stored([key for key in session_keys if key.isascii() and key.isalnum()]).items()
        if SESSION_KEY in data and not is_too_old(data.get(SIGNED_IN_AT))
    }
    is_not_over = Q(break_glass_until=None) | Q(break_glass_until__gt=timezone.now())
    wanted = {data[SESSION_KEY] for data in begun.values()}
    users = User.objects.filter(is_not_over, pk__in=wanted, is_active=True) if wanted else ()
    accepted = {
        str(user.pk): (user.pk, [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()])
        for user in users
    }
    found = {}
    for key, data in begun.items():
        user_id, hashes = accepted.get(data[SESSION_KEY], (None, []))
        known = str(data.get(HASH_SESSION_KEY, ""))
        if user_id is not None and any(constant_time_compare(known, hash_) for hash_ in hashes):
            found[key] = SignedIn(user_id, factor_id_of(data), str(data.get(VIEW_AS, "")))
    return found


def _stored(session_keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not session_keys:
        return {}
    decode = store().decode
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [list(session_keys), timezone.now()])
        return {key: decode(data) for key, data in cursor.fetchall()}


def factor_id_of(session: Mapping[str, Any] | SessionBase) -> int | None:
    """Return the id of the second factor a session was proved with; whether it still exists, a query asks."""
    number = str(session.get(DEVICE_ID_SESSION_KEY, "")).removeprefix("accounts.secondfactor/")
    return int(number) if number.isascii() and number.isdigit() else None


def find_session_key(*, user_id: UUID, session: str) -> str | None:
    """Return the key of a user's session by the id that revocations and lists name. One query."""
    return session_keys_of([user_id]).get((user_id, session))


def session_keys_of(user_ids: Collection[UUID]) -> dict[tuple[UUID, str], str]:
    """Return the keys of users' sessions by user and the id that revocations and lists name. One query."""
    rows = UserSession.objects.filter(user_id__in=user_ids).values_list("user_id", "session_key")
    return {(user_id, session_id(key)): key for user_id, key in rows}


def is_too_old(signed_in_at: object) -> bool:
    """Return whether a session has reached its absolute end."""
    return isinstance(signed_in_at, int) and time.time() - signed_in_at > LONGEST_SECONDS


def today() -> int:
    """Return the number of this day, as a session keeps the last one it was used on."""
    return int(time.time() // 86_400)


def store(session_key: str | None = None) -> SessionBase:
    """Return the session store of a key."""
    made: SessionBase = _engine()(session_key)
    return made


@lru_cache(maxsize=1)
def _engine() -> type[SessionBase]:
    engine: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return engine

"""The signed-in browsers of a user, and who a session cookie belongs to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.accounts.selectors.principals import session_id
from apps.accounts.types import SessionView

SIGNED_IN_AT, USED_ON, VIEW_AS = "signed_in_at", "used_on", "view_as"
# Where django-otp and allauth say that a second factor was shown.
OTP_DEVICE, AUTHENTICATION_METHODS, FACTORS = (
    "otp_device_id",
    "account_authentication_methods",
    frozenset({"mfa"}),
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


@dataclass(frozen=True)
class OpenSession:
    """What a session says of who uses it.

    Attributes:
        has_factor: a second factor was shown in it.
        view_as: the view as somebody else that was begun in it; empty for none. It may be over.
    """

    user_id: UUID
    has_factor: bool = False
    view_as: str = ""


def find_user_id(session_key: str) -> UUID | None:
    """Return the active user a session belongs to, see `find_session`."""
    found = find_session(session_key)
    return found.user_id if found else None


def shows_factor(data: SessionBase | Mapping[str, Any]) -> bool:
    """Return whether a second factor was shown in a session: what django-otp or allauth left in it."""
    methods = data.get(AUTHENTICATION_METHODS, ())
    return bool(data.get(OTP_DEVICE)) or any(
        isinstance(method, dict) and method.get("method") in FACTORS for method in methods
    )


def find_session(session_key: str) -> OpenSession | None:
    """Return whose session this is, or None: ended, too old, or from before a password change.

    Two queries. The same checks as Django's `get_user`, without a request.
    """
    if not (session_key.isascii() and session_key.isalnum()):
        return None
    data = store(session_key).load()
    if SESSION_KEY not in data or is_too_old(data.get(SIGNED_IN_AT)):
        return None
    user = User.objects.filter(pk=data[SESSION_KEY], is_active=True).first()
    if user is None:
        return None
    known = str(data.get(HASH_SESSION_KEY, ""))
    accepted = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    if not any(constant_time_compare(known, hash_) for hash_ in accepted):
        return None
    return OpenSession(user.pk, shows_factor(data), str(data.get(VIEW_AS, "")))


def find_session_key(*, user_id: UUID, session: str) -> str | None:
    """Return the key of a user's session by the id that revocations and lists name. One query."""
    keys = UserSession.objects.filter(user_id=user_id).values_list("session_key", flat=True)
    return next((key for key in keys if constant_time_compare(session_id(key), session)), None)


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

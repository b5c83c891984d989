"""Browser sessions without a browser."""

from __future__ import annotations

import time

from allauth.usersessions.models import UserSession
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from apps.accounts.models import User
from apps.accounts.selectors.sessions import SIGNED_IN_AT, store
from apps.accounts.services.step_up import CONFIRMED_AT


def open_session(user: User, *, age_seconds: int = 0) -> str:
    """Sign a user in and return the session's key."""
    session = store()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "apps.accounts.page_sessions.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[SIGNED_IN_AT] = session[CONFIRMED_AT] = int(time.time()) - age_seconds
    session.create()
    key = session.session_key
    assert key is not None
    UserSession.objects.create(user=user, session_key=key, ip="127.0.0.1", user_agent="test")
    return key

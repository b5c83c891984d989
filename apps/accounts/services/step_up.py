"""Fresh proof for what is dear: keys, factors, the password, export, erasure.

A session notes when its person last proved to be it: with a second factor if there is one, else with the password; an
account with neither (the first administrator, an emergency account) by signing in. Ten minutes later it is asked again.
A client with tokens proved it when it signed in; later it signs in anew.

Pages use `recent_sign_in_required`; it asks, comes back, and offers what was sent for sending again. REST uses the
permission `RequiresRecentSignIn`. API keys are not asked: they were made by somebody who was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from apps.accounts.errors import StepUpRequired
from apps.accounts.selectors.tokens import is_signed_in_since
from apps.accounts.types import Principal
from apps.core.threads import in_thread

CONFIRMED_AT, SUSPENDED = "confirmed_at", "suspended"
FRESH_SECONDS = 600
_MOST_FIELDS, _MOST_CHARACTERS = 60, 16_000
_NEVER_KEPT = ("password", "secret", "code", "credential", "csrfmiddlewaretoken")

View = Callable[..., HttpResponseBase]


def note_proof(session: SessionBase) -> None:
    """Note that the person proved to be it just now."""
    session[CONFIRMED_AT] = int(time.time())


def is_recent(session: Mapping[str, Any] | SessionBase) -> bool:
    """Return whether the last proof is at most ten minutes old."""
    confirmed = session.get(CONFIRMED_AT)
    return isinstance(confirmed, int) and 0 <= time.time() - confirmed <= FRESH_SECONDS


def require_recent(request: HttpRequest) -> None:
    """Refuse a browser whose last proof is too old.

    Raises:
        StepUpRequired.
    """
    if not is_recent(request.session):
        raise StepUpRequired


def require_recent_token(principal: Principal) -> None:
    """Refuse a client whose person signed it in too long ago; refreshing proves nothing. One query.

    Raises:
        StepUpRequired.
    """
    if not is_signed_in_since(principal, timezone.now() - timedelta(seconds=FRESH_SECONDS)):
        raise StepUpRequired


def recent_sign_in_required(view: Any) -> Any:  # any page view, sync or async
    """Ask for a fresh proof before the view; afterwards the person is back, and what it sent is offered again."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def asking_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = await request.auser()
            if user.is_authenticated and not await in_thread(is_recent, request.session):
                return await in_thread(ask, request)
            response: HttpResponseBase = await view(request, *args, **kwargs)
            return response

        return asking_async

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_recent(request.session):
            return ask(request)
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response

    return asking


def ask(request: HttpRequest) -> HttpResponse:
    """Send to the page that asks; keep the fields of a form, never secrets or files.

    Raises:
        StepUpRequired: a script asks, which cannot be sent anywhere.
    """
    if (
        request.headers.get("Sec-Fetch-Dest", "document") != "document"
        and "HX-Request" not in request.headers
    ):
        raise StepUpRequired
    back = request.get_full_path()
    if request.method == "POST":
        request.session[SUSPENDED] = {"path": back, "at": int(time.time()), "fields": _kept_fields(request)}
        back = reverse("step_up_resume")
    where = f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def take_suspended(session: SessionBase) -> tuple[str, list[tuple[str, str]]] | None:
    """Return where a form was going and its fields, once; None when nothing waits or it waited too long."""
    kept = session.pop(SUSPENDED, None)
    if not isinstance(kept, dict) or time.time() - kept.get("at", 0) > FRESH_SECONDS:
        return None
    return kept["path"], [(name, value) for name, value in kept["fields"]]


def _kept_fields(request: HttpRequest) -> list[tuple[str, str]]:
    fields = [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if not any(word in name.lower() for word in _NEVER_KEPT)
    ]
    if len(fields) > _MOST_FIELDS or sum(len(value) for _, value in fields) > _MOST_CHARACTERS:
        return []
    return fields

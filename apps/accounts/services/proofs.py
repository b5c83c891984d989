"""A signed-in browser proves its second factor: the session is verified from then on, under a new id."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest
from django_otp import login as otp_login

from apps.accounts.models import SecondFactor
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import factor_id_of
from apps.accounts.services.revocation import revoke_everywhere
from apps.accounts.services.step_up import note_proof


def prove(request: HttpRequest, factor: SecondFactor) -> None:
    """Note a proof with a second factor; the first one in a session changes the session's id.

    The factor belongs to who is signed in; django-otp drops any other.
    """
    was_proved = factor_id_of(request.session) is not None
    otp_login(request, factor)
    note_proof(request.session)
    if not was_proved:
        change_id(request, reason="rights_changed")


def change_id(request: HttpRequest, *, reason: str) -> None:
    """Give this browser's session a new id; the old one opens nothing from now on, nor do its sockets."""
    old = request.session.session_key or ""
    request.session.cycle_key()
    new = request.session.session_key
    with transaction.atomic():
        UserSession.objects.filter(session_key=new).delete()
        UserSession.objects.filter(session_key=old).update(session_key=new)
        if request.user.pk is not None:
            revoke_everywhere(user_id=request.user.pk, session=session_id(old), reason=reason)

"""Proofs with a second factor: counted and noted; a signed-in browser is verified from then on, under a new id."""

from __future__ import annotations

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest
from django_otp import login as otp_login

from apps.accounts.models import SecondFactor, User
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import factor_id_of
from apps.accounts.services import attempts, trail
from apps.accounts.services.revocation import revoke_everywhere
from apps.accounts.services.step_up import note_proof
from apps.core.errors import DomainError


def counted(
    request: HttpRequest, *, user: User, action: str, check: Callable[[], SecondFactor]
) -> SecondFactor:
    """Return the factor that a check finds; counted like every guess, given back when right, noted when not.

    Args:
        action: what the proof is for, as the trail names it.

    Raises:
        TooManyRequests, and what the check raises.
    """
    buckets = attempts.factor_guesses(request, str(user.email))
    try:
        attempts.take(buckets).require()
        factor = check()
    except DomainError as refused:
        trail.refuse_account(user.pk, action, reason=refused.code)
        raise
    attempts.give_back(buckets)
    return factor


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

"""What django-allauth asks us: no sign-up without an invitation, sessions that end for real, quiet messages."""

from __future__ import annotations

import logging
import smtplib
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sites.shortcuts import get_current_site
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.accounts import actions
from apps.accounts.models import SecondFactor, User
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import SIGNED_IN_AT, USED_ON, today
from apps.accounts.services import attempts, break_glass, factor_secrets, sessions, trail
from apps.accounts.services.requests import address_of
from apps.accounts.services.step_up import note_proof
from apps.core import origin

PENDING = "pending_sign_in"  # the state of the account when a sign-in began that waits for its second factor
_FRESH_RECORD_SECONDS = 900
logger = logging.getLogger(__name__)
_QUIET = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Rules of sign-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Nobody signs up from outside; invitations make accounts."""
        return False

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Remember the account as it is now: a password change ends sign-ins that wait for their second factor."""
        request.session[PENDING] = user.get_session_auth_hash()
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in under a new session id (Django rotates it); note the factor, the moment, and how fresh the proof is.

        Every door ends here: password, code, link, passkey, invitation.
        """
        records = get_authentication_records(request, user)
        factor = _proved_with(user, records)
        if factor is not None:
            user.otp_device = factor  # type: ignore[attr-defined]  # django-otp puts it into the session
        with transaction.atomic():
            super().login(request, user)
            request.session.pop(PENDING, None)
            request.session[SIGNED_IN_AT] = int(time.time())
            request.session[USED_ON] = today()
            origin.note_session(session_id(request.session.session_key or ""))
            method = str(records[-1].get("method", "")) if records else ""
            if factor is not None or method == "password" or not user.has_usable_password():
                note_proof(request.session)
            trail.note_account(user.pk, actions.SIGNED_IN, method=method, factor=factor is not None)
            if user.break_glass_until is not None:
                request.session.set_expiry(user.break_glass_until)
                break_glass.raise_alarm(user_id=user.pk, address=address_of(request))

    def logout(self, request: HttpRequest) -> None:
        """Sign out; sockets of this browser close."""
        user_id, key = request.user.pk, request.session.session_key
        super().logout(request)
        if user_id is not None and key:
            with transaction.atomic():
                sessions.end_key(user_id=user_id, session_key=key)
                trail.note_account(user_id, actions.SIGNED_OUT)

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Store the new password and end every other session and every socket of the person."""
        request: HttpRequest | None = self.request
        is_own = request is not None and request.user.is_authenticated and request.user.pk == user.pk
        with transaction.atomic():
            super().set_password(user, password)
            sessions.end_all(
                user_id=user.pk,
                keep_key=request.session.session_key if request is not None and is_own else None,
                reason="password_changed",
            )
            trail.note_account(user.pk, actions.PASSWORD_CHANGED if is_own else actions.PASSWORD_RESET)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt by account and by network; a right password gives it back.

        Raises:
            ValidationError: too many; the form says so.
        """
        self._attempt = attempts.guesses(request, str(credentials.get("email", "")))
        if not attempts.take(self._attempt).is_allowed:
            _note_refused(str(credentials.get("email", "")), reason="too_many_attempts")
            raise self.validation_error("too_many_login_attempts")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ARG002
        """Leave a line in the trail (allauth calls this after a wrong name or password)."""
        _note_refused(str(credentials.get("email", "")), reason="wrong_credentials")

    def _rollback_login_failed_rl_usage(self) -> None:
        """Give the attempt back (allauth calls this after a right password)."""
        attempts.give_back(self._attempt)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:  # noqa: ARG002 - allauth's signature
        """Leave it to `services.step_up`, which asks for the second factor where there is one."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits count."""
        return address_of(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002 - allauth's signature
        """Go on where the person was; `next` in the form wins."""
        return "/"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send; one that cannot leave is logged, and the page says the same as for any other address."""
        self._post(self._written(template_prefix, email, context), template_prefix)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Write both letters whoever asks, and send the one that is meant: the work must not tell which it was.

        Args:
            user: one that is in no table stands for nobody.
        """
        letters = {
            prefix: self._written(prefix, email, context)
            for prefix in ("account/email/password_reset_key", "account/email/unknown_account")
        }
        meant = "unknown_account" if user._state.adding else "password_reset_key"  # noqa: SLF001 - Django documents it
        self._post(letters[f"account/email/{meant}"], meant)

    def _written(self, template_prefix: str, email: str, context: dict[str, Any]) -> EmailMessage:
        about = {"request": self.request, "email": email, "current_site": get_current_site(self.request)}
        letter: EmailMessage = self.render_mail(template_prefix, email, {**about, **context})
        return letter

    def _post(self, letter: EmailMessage, template: str) -> None:
        try:
            letter.send()
        except (OSError, smtplib.SMTPException):
            logger.exception("account.not_mailed", extra={"template": template})

    def format_email_subject(self, subject: str) -> str:
        """Leave subjects as they are."""
        return str(subject)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say what a page does not show by itself: not that somebody just signed in or out."""
        if message_template not in _QUIET:
            super().add_message(request, level, message_template, *args, **kwargs)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors lie encrypted in their rows."""

    def encrypt(self, text: str) -> str:
        """Return what is stored."""
        return factor_secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return what was stored."""
        return factor_secrets.decrypt(encrypted_text)


def _proved_with(user: User, records: list[dict[str, Any]]) -> SecondFactor | None:
    """Return the second factor that this sign-in was proved with, if it was and the factor still exists."""
    proof = records[-1] if records else {}
    if proof.get("method") != "mfa" or time.time() - proof.get("at", 0) > _FRESH_RECORD_SECONDS:
        return None
    found: SecondFactor | None = SecondFactor.objects.filter(
        user_id=user.pk, authenticator_id=proof.get("id"), confirmed=True
    ).first()
    return found


def _note_refused(email: str, *, reason: str) -> None:
    typed = email.strip().lower()
    user_id = (
        User.objects.filter(email=typed).values_list("pk", flat=True).first() if _is_storable(typed) else None
    )
    trail.refuse_account(user_id, actions.SIGNED_IN, reason=reason, person=typed)


def _is_storable(text: str) -> bool:
    return "\0" not in text and text.isprintable()

"""The steps after the first proof, and the doors beside the password: second factor, passkey, mailed code."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login, get_pending_stage
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.account.views import ConfirmLoginCodeView, LoginView, PasswordResetView, RequestLoginCodeView
from allauth.mfa.stages import AuthenticateStage
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from apps.accounts import actions
from apps.accounts.allauth_adapter import PENDING
from apps.accounts.errors import CodeWrong
from apps.accounts.forms import CodeForm
from apps.accounts.models import SecondFactor, User
from apps.accounts.selectors import factors as factor_selectors
from apps.accounts.services import attempts, factors, passkeys, trail
from apps.accounts.services.proofs import counted
from apps.core.errors import DomainError, TooManyRequests

CHALLENGE = "passkey_challenge"


@method_decorator(
    [
        login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login"),
        sensitive_post_parameters("code", "credential"),
    ],
    name="dispatch",
)
class SecondFactorPage(View):
    """`/accounts/second-factor/`: the second step of every sign-in of an account that has a factor."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Begin again where the account changed since the first step, or lost its factors."""
        self.stage = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 - allauth's name
        user: User = self.stage.login.user
        began_with = str(request.session.get(PENDING, ""))
        self.kinds = factor_selectors.kinds_of(user_id=user.pk)
        if not user.is_active or not self.kinds or not _is_unchanged(user, began_with):
            clear_login(request)
            return redirect("account_login")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._page(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Take a code or the answer of a key, and sign in."""
        form = CodeForm(request.POST)
        user: User = self.stage.login.user
        factor = checked_factor(request, user, form)
        if factor is None:
            return self._page(request, form)
        record_authentication(
            request, user, method="mfa", id=factor.authenticator_id, type=factor.authenticator.type
        )
        response: HttpResponseBase = self.stage.exit()
        return response

    def _page(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        context = {"form": form, **factor_choices(request, self.kinds)}
        return render(request, "account/second_factor.html", context, status=400 if form.is_bound else 200)


@require_POST
@login_not_required
def cancel_sign_in(request: HttpRequest) -> HttpResponse:
    """Give a sign-in up that waits for its next step."""
    clear_login(request)
    return redirect("account_login")


@never_cache
@require_POST
@login_not_required
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser asks its keys: those of who is signing in or signed in, else any that knows its owner."""
    attempts.take(attempts.ceremonies(request)).require()
    stage = get_pending_stage(request)
    user = request.user if request.user.is_authenticated else stage.login.user if stage else None
    options, state = passkeys.begin_authentication(user_id=user.pk if user is not None else None)
    request.session[CHALLENGE] = state
    return JsonResponse(options)


@method_decorator([never_cache, login_not_required, sensitive_post_parameters("credential")], name="dispatch")
class PasskeySignIn(View):
    """`/accounts/passkeys/sign-in/`: in with a key alone; it saw its person, so it is both factors."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check the answer of the key and sign its owner in."""
        attempts.take(attempts.ceremonies(request)).require()
        try:
            factor = passkeys.finish_authentication(
                state=request.session.pop(CHALLENGE, None),
                answer=request.POST.get("credential", ""),
                user_id=None,
            )
        except DomainError as refused:
            trail.refuse_account(None, actions.SIGNED_IN, reason=refused.code)
            messages.error(request, refused.detail)
            return redirect("account_login")
        user = factor.user
        record_authentication(
            request, user, method="mfa", id=factor.authenticator_id, type="webauthn", passwordless=True
        )
        response: HttpResponseBase = perform_login(request, user, redirect_url=get_next_redirect_url(request))
        return response


class SignInPage(LoginView):  # type: ignore[misc]  # allauth ships no types
    """Address and password, and the ways to the other doors."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether keys can be used here."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "passkeys": passkeys.are_available()}


class RequestCodePage(RequestLoginCodeView):  # type: ignore[misc]
    """Ask for a code by mail; the answer is the same whether the address is known or not."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count by address and by network.

        Raises:
            TooManyRequests.
        """
        attempts.take(attempts.mails(request, request.POST.get("email", ""))).require()
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response


class ConfirmCodePage(ConfirmLoginCodeView):  # type: ignore[misc]
    """Type the mailed code. It stands for the password, never for the second factor."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count every try like a password; a right one is given back.

        Raises:
            TooManyRequests.
        """
        self._buckets = attempts.guesses(request, str(self._process.state.get("email", "")))
        attempts.take(self._buckets).require()
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on to the next step."""
        attempts.give_back(self._buckets)
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Leave a line in the trail of whose code it was."""
        user = self._process.user
        trail.refuse_account(user.pk if user else None, actions.SIGNED_IN, reason="code_wrong")
        response: HttpResponse = super().form_invalid(form)
        return response


class _ResetForm(ResetPasswordForm):  # type: ignore[misc]
    """The address; where nobody has it, a link is made for an account that is in no table, and is not sent."""

    users: list[User]

    def clean_email(self) -> str:
        """Find the accounts."""
        email: str = super().clean_email()
        if not self.users:
            nobody = User(email=email)
            nobody.set_unusable_password()
            self.users = [nobody]
        return email


class PasswordResetPage(PasswordResetView):  # type: ignore[misc]
    """Ask for a link; the answer is the same whether the address is known or not."""

    form_class = _ResetForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Count by address and by network, so that nobody's mailbox is filled.

        Raises:
            TooManyRequests.
        """
        attempts.take(attempts.mails(request, request.POST.get("email", ""))).require()
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response


def checked_factor(
    request: HttpRequest, user: User, form: CodeForm, *, action: str = actions.SIGNED_IN
) -> SecondFactor | None:
    """Return the factor that a form proves, or None with the reason in the form.

    Raises:
        TooManyRequests.
    """

    def check() -> SecondFactor:
        if not form.is_valid():
            raise CodeWrong
        if not form.cleaned_data["credential"]:
            return factors.check_code(user_id=user.pk, code=form.cleaned_data["code"])
        return passkeys.finish_authentication(
            state=request.session.pop(CHALLENGE, None),
            answer=form.cleaned_data["credential"],
            user_id=user.pk,
        )

    try:
        return counted(request, user=user, action=action, check=check)
    except TooManyRequests:
        raise
    except DomainError as refused:
        if form.is_valid():
            form.add_error(None, refused.detail)
        return None


def factor_choices(request: HttpRequest, kinds: set[str]) -> dict[str, Any]:
    """Return what a page that asks for a factor shows: the app's field, keys, or a recovery code if asked for."""
    wants_recovery = "recovery" in request.GET or ("totp" not in kinds and "webauthn" not in kinds)
    return {
        "has_app": "totp" in kinds and not wants_recovery,
        "has_key": "webauthn" in kinds and passkeys.are_available(),
        "has_codes": "recovery_codes" in kinds,
        "wants_recovery": wants_recovery,
    }


def _is_unchanged(user: User, began_with: str) -> bool:
    accepted = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(began_with, hash_) for hash_ in accepted)

"""A person's own second factors, the fresh proof, and the page for who needs a factor first."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote

import qrcode
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from qrcode.image.svg import SvgPathImage

from apps.accounts import actions
from apps.accounts.forms import AppCodeForm, CodeForm, PasskeyForm, PasswordForm
from apps.accounts.selectors import factors as factor_selectors
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.services import attempts, factors, passkeys, trail
from apps.accounts.services.factor_secrets import decrypt, encrypt
from apps.accounts.services.proofs import prove
from apps.accounts.services.requests import user_of
from apps.accounts.services.step_up import note_proof, recent_sign_in_required, take_suspended
from apps.accounts.sign_in_views import checked_factor, factor_choices
from apps.core.errors import DomainError

NEW_SECRET, NEW_KEY = "new_app_secret", "new_passkey_challenge"
_private = [never_cache, recent_sign_in_required]


@never_cache
@require_GET
def factor_list(request: HttpRequest) -> HttpResponse:
    """Show the second factors of who is signed in."""
    found = factor_selectors.list_factors(user_id=user_of(request).pk)
    context = {
        "factors": [factor for factor in found if factor.kind != "recovery_codes"],
        "codes": next((factor for factor in found if factor.kind == "recovery_codes"), None),
        "has_app": any(factor.kind == "totp" for factor in found),
        "passkeys": passkeys.are_available(),
    }
    return render(request, "account/factors.html", context)


@method_decorator([*_private, sensitive_post_parameters("code")], name="dispatch")
class AddAppPage(View):
    """`/accounts/factors/app/`: a new secret as a picture and as text; the app proves it by a code."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Show the secret; it waits in the session, encrypted."""
        if "totp" in factor_selectors.kinds_of(user_id=user_of(request).pk):
            return redirect("factors")
        if NEW_SECRET not in request.session:
            request.session[NEW_SECRET] = encrypt(generate_totp_secret())
        return self._page(request, AppCodeForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store the secret when the code is right; then the recovery codes are shown."""
        sealed = request.session.get(NEW_SECRET)
        if sealed is None:
            return redirect("factor_app")
        form = AppCodeForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        attempts.take(attempts.factor_guesses(request, str(user_of(request)))).require()
        try:
            factor = factors.add_app(
                user_id=user_of(request).pk,
                secret=decrypt(sealed),
                code=form.cleaned_data["code"],
                keep_key=request.session.session_key,
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
            return self._page(request, form)
        del request.session[NEW_SECRET]
        return _added(request, factor)

    def _page(self, request: HttpRequest, form: AppCodeForm) -> HttpResponse:
        secret = decrypt(request.session[NEW_SECRET])
        shown = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        context = {"form": form, "secret": shown}
        return render(request, "account/factor_app.html", context, status=400 if form.is_bound else 200)


@never_cache
@require_GET
@recent_sign_in_required
def app_picture(request: HttpRequest) -> HttpResponse:
    """Return the waiting secret as a QR code: a picture of its own, so that no style or script is needed."""
    sealed = request.session.get(NEW_SECRET)
    if sealed is None:
        return redirect("factor_app")
    issuer = quote("chatsystem")
    fields = urlencode({"secret": decrypt(sealed), "issuer": "chatsystem"})
    picture = qrcode.make(
        f"otpauth://totp/{issuer}:{quote(str(user_of(request)))}?{fields}",
        image_factory=SvgPathImage,
        border=2,
    )
    target = io.BytesIO()
    picture.save(target)
    response = HttpResponse(target.getvalue(), content_type="image/svg+xml")
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


@method_decorator([*_private, sensitive_post_parameters("credential")], name="dispatch")
class AddPasskeyPage(View):
    """`/accounts/factors/passkeys/`: name a key, then the browser asks it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for a name."""
        return self._page(request, PasskeyForm(initial={"name": _("My key")}))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store the key."""
        form = PasskeyForm(request.POST)
        if not form.is_valid():
            return self._page(request, form)
        try:
            credential, counter = passkeys.finish_registration(
                state=request.session.pop(NEW_KEY, None), answer=form.cleaned_data["credential"]
            )
            factor = factors.add_passkey(
                user_id=user_of(request).pk,
                name=form.cleaned_data["name"],
                credential=credential,
                sign_count=counter,
                keep_key=request.session.session_key,
            )
        except DomainError as refused:
            form.add_error(None, refused.detail)
            return self._page(request, form)
        return _added(request, factor)

    def _page(self, request: HttpRequest, form: PasskeyForm) -> HttpResponse:
        context = {"form": form, "passkeys": passkeys.are_available()}
        return render(request, "account/factor_passkey.html", context, status=400 if form.is_bound else 200)


@never_cache
@require_POST
@recent_sign_in_required
def new_passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser asks a new key."""
    options, request.session[NEW_KEY] = passkeys.begin_registration(user_id=user_of(request).pk)
    return JsonResponse(options)


@require_POST
@recent_sign_in_required
def remove_factor(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Remove one factor; other browsers are signed out."""
    factors.remove_factor(
        user_id=user_of(request).pk, factor_id=factor_id, keep_key=request.session.session_key
    )
    messages.success(request, _("Removed. Your other browsers are signed out."))
    return redirect("factors")


@never_cache
@require_GET
@recent_sign_in_required
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show the unused recovery codes, or hand them out as a file."""
    codes = factors.show_recovery_codes(user_id=user_of(request).pk)
    if "download" in request.GET:
        response = HttpResponse("\n".join(codes) + "\n", content_type="text/plain; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
        return response
    return render(request, "account/recovery_codes.html", {"codes": codes})


@never_cache
@require_POST
@recent_sign_in_required
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; the old ones stop working."""
    factors.renew_recovery_codes(user_id=user_of(request).pk, keep_key=request.session.session_key)
    messages.success(request, _("These are new. The old codes do not work any more."))
    return redirect("recovery_codes")


@method_decorator([never_cache, sensitive_post_parameters("password", "code", "credential")], name="dispatch")
class ConfirmPage(View):
    """`/accounts/reauthenticate/`: a fresh proof, with the second factor if there is one, else with the password."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look at what the account has."""
        self.kinds = factor_selectors.kinds_of(user_id=user_of(request).pk)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._page(request, CodeForm() if self.kinds else PasswordForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Check, note the moment, go back."""
        if self.kinds:
            by_factor = CodeForm(request.POST)
            factor = checked_factor(request, user_of(request), by_factor, action=actions.CONFIRMED)
            if factor is None:
                return self._page(request, by_factor)
            prove(request, factor)
            self._note(request, factor.authenticator.type)
        else:
            by_password = PasswordForm(request.POST)
            if not self._is_right(request, by_password):
                return self._page(request, by_password)
            note_proof(request.session)
            self._note(request, "password")
        return redirect(get_next_redirect_url(request) or "/")

    def _note(self, request: HttpRequest, method: str) -> None:
        with transaction.atomic():
            trail.note_account(user_of(request).pk, actions.CONFIRMED, method=method)

    def _is_right(self, request: HttpRequest, form: PasswordForm) -> bool:
        buckets = attempts.guesses(request, str(user_of(request)))
        attempts.take(buckets).require()
        if not form.is_valid():
            return False
        if not check_password(form.cleaned_data["password"], user_of(request).password):
            trail.refuse_account(user_of(request).pk, actions.CONFIRMED, reason="wrong_credentials")
            form.add_error(None, _("This password is not right."))
            return False
        attempts.give_back(buckets)
        return True

    def _page(self, request: HttpRequest, form: CodeForm | PasswordForm) -> HttpResponse:
        context = {
            "form": form,
            "has_password": user_of(request).has_usable_password() and not self.kinds,
            "redirect_field_name": "next",
            "redirect_field_value": get_next_redirect_url(request) or "",
            **factor_choices(request, self.kinds),
        }
        context["wants_recovery"] = context["wants_recovery"] and bool(self.kinds)
        return render(request, "account/reauthenticate.html", context, status=400 if form.is_bound else 200)


@never_cache
@require_GET
@recent_sign_in_required
def resume(request: HttpRequest) -> HttpResponse:
    """Offer the form that was on its way when the proof was asked for; the person sends it again, nothing is lost."""
    suspended = take_suspended(request.session)
    if suspended is None:
        return redirect("/")
    path, fields = suspended
    return render(request, "account/resume.html", {"path": path, "fields": fields})


@never_cache
@require_GET
def factor_required(request: HttpRequest) -> HttpResponse:
    """Say that an organization, or the server's admin, asks for a second factor, and what to do."""
    context = {
        "has_factor": factor_selectors.has_factor(user_id=user_of(request).pk),
        "is_verified": request.user.is_verified(),  # type: ignore[union-attr]  # django-otp adds it
        "organizations": organizations_of(user_of(request).pk),
        "next": get_next_redirect_url(request) or "/",
    }
    return render(request, "account/factor_required.html", context, status=403)


def _added(request: HttpRequest, factor: Any) -> HttpResponse:
    """Verify this session with the new factor; show the recovery codes, which are new with the first factor."""
    prove(request, factor)
    messages.success(request, _("Set up. Your other browsers are signed out."))
    return redirect("recovery_codes")

"""What people see of OAuth: who asks for what, and where a device's code is typed.

A page never sends a form's answer on to another site by a redirect: `form-action 'self'` covers every step after a
form of ours (consent, sign-in, confirming the password), and Chromium would stop there without a word. Where a form
came before, the answer is a page that goes on by itself, with a link; elsewhere it is a redirect.
"""

from __future__ import annotations

import hashlib
import time
from urllib.parse import urlencode, urlsplit

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.accounts.errors import (
    ConditionNotMet,
    DeviceCodeNotValid,
    OAuthRefusal,
    OrganizationNotFound,
    PersonRequired,
    SecondFactorRequired,
)
from apps.accounts.forms import DeviceCodeForm, scope_labels
from apps.accounts.selectors.sessions import SIGNED_IN_AT, factor_id_of
from apps.accounts.services import access_tokens, oauth_consents, oauth_devices
from apps.accounts.services.oauth_codes import issue_code
from apps.accounts.services.oauth_requests import read_client, read_request
from apps.accounts.services.requests import seat_of
from apps.accounts.services.step_up import CONFIRMED_AT
from apps.accounts.types import AuthorizationRequest, Principal, Proof
from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket

ASKED_TO_SIGN_IN = "oauth_sign_in"  # when which request asked for a new sign-in; the newest few
_MOST_ASKED = 10
_OWN_PAGES = ("same-origin", "same-site")
# RFC 8176; what is not in it is not told
_METHODS = {"password": "pwd", "code": "otp", "totp": "otp", "webauthn": "hwk", "recovery_codes": "otp"}


@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Let a client ask the person who reads; the request is in the address, the person's answer in the form.

    Raises:
        ClientNotFound, RedirectNotRegistered: nobody is sent anywhere.
        TooManyRequests.
    """
    is_known = getattr(request, "is_signed_in", False)
    sender = str(request.user.pk) if is_known else network(client_address(request))
    limits.take([Bucket("oauth_pages", sender, 60, 120)]).require()
    parameters = dict(request.GET.lists())
    client, redirect_uri = read_client(parameters)
    states = parameters.get("state", [])
    state = states[0] if len(states) == 1 else ""
    try:
        return _answer(request, read_request(parameters, client, redirect_uri))
    except OAuthRefusal as refusal:
        said = {"error": refusal.error, "error_description": refusal.description}
        return _leave(request, redirect_uri, client.name, said, state)


@never_cache
@require_http_methods(["GET", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """Let a person type the code a device shows, look at what waits there, and let it in or turn it away."""
    if request.method != "POST":
        return _device_form(
            request, DeviceCodeForm(initial={"user_code": request.GET.get("user_code", "")[:20]})
        )
    _limit_codes(request)
    form = DeviceCodeForm(request.POST)
    if not form.is_valid():
        return _device_form(request, form, status=422)
    code = form.cleaned_data["user_code"]
    try:
        principal, waiting = oauth_devices.find_waiting(
            user_code=code,
            seat=lambda organization_id: seat_of(request, organization_id=organization_id),
        )
        decision = request.POST.get("decision")
        if decision == "allow":
            oauth_devices.approve_device(principal=principal, user_code=code, proof=_proof(request))
        elif decision == "deny":
            oauth_devices.deny_device(principal=principal, user_code=code)
    except SecondFactorRequired:
        return redirect_to_login(request.get_full_path(), resolve_url("factor_required"))
    except DeviceCodeNotValid as refusal:
        form.add_error("user_code", refusal.detail)
        return _device_form(request, form, status=422)
    context = {
        "client": waiting.client,
        "scopes": scope_labels(waiting.scopes),
        "device": waiting,
        "user_code": code,
        "person": principal,
        "decision": decision if decision in ("allow", "deny") else "",
    }
    return render(request, "account/oauth/device_confirm.html", context)


def _answer(request: HttpRequest, asked: AuthorizationRequest) -> HttpResponse:
    is_silent = "none" in asked.prompt
    if not getattr(request, "is_signed_in", False):
        if is_silent:
            raise OAuthRefusal("login_required", "Nobody is signed in.")
        _note_asked(request, asked)
        return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
    try:
        principal = _principal(request, asked)
    except SecondFactorRequired as error:
        if is_silent:
            raise OAuthRefusal("interaction_required", "A second factor has to be shown.") from error
        return redirect_to_login(request.get_full_path(), resolve_url("factor_required"))
    if _is_too_long_ago(request, asked):
        if is_silent:
            raise OAuthRefusal("login_required", "The sign-in is too long ago.")
        _note_asked(request, asked)
        return redirect_to_login(request.get_full_path(), resolve_url("account_reauthenticate"))
    if request.method == "POST":
        if request.POST.get("decision") != "allow":
            raise OAuthRefusal("access_denied", "The person did not agree.")
        _give(principal, asked)
        return _let_in(request, principal, asked)
    if not _must_ask(principal, asked):
        return _let_in(request, principal, asked)
    if is_silent:
        raise OAuthRefusal("consent_required", "The person has not agreed to this yet.")
    return _consent_page(request, principal, asked)


def _principal(request: HttpRequest, asked: AuthorizationRequest) -> Principal:
    """Return who is signed in, in the client's organization.

    Raises:
        SecondFactorRequired: that organization asks for one; the one looked at last may ask for none.
        OAuthRefusal: no member, or one whose role gives nothing under the conditions of this request.
        ViewAsReadOnly.
    """
    try:
        principal = seat_of(request, organization_id=asked.client.organization_id)
        oauth_consents.require_agreeing(principal)
    except OrganizationNotFound as error:
        raise OAuthRefusal("access_denied", "The person does not belong to this organization.") from error
    except ConditionNotMet as error:
        raise OAuthRefusal("access_denied", "The person's role gives nothing here and now.") from error
    return principal


def _must_ask(principal: Principal, asked: AuthorizationRequest) -> bool:
    """Ask anew when told so, and always where anyone could pose as the client (RFC 8252 8.6)."""
    if asked.prompt & {"consent", "select_account"}:
        return True
    is_provable = asked.client.is_confidential or asked.redirect_uri.startswith("https:")
    return not is_provable or not oauth_consents.covers(
        principal=principal, client_id=asked.client.id, scopes=asked.scopes
    )


def _give(principal: Principal, asked: AuthorizationRequest) -> None:
    try:
        oauth_consents.give_consent(principal=principal, client_id=asked.client.id, scopes=asked.scopes)
    except PersonRequired as error:
        raise OAuthRefusal("access_denied", "Only a person can agree.") from error


def _let_in(request: HttpRequest, principal: Principal, asked: AuthorizationRequest) -> HttpResponse:
    _forget_asked(request, asked)
    code = issue_code(principal=principal, request=asked, proof=_proof(request))
    return _leave(request, asked.redirect_uri, asked.client.name, {"code": code}, asked.state)


def _consent_page(request: HttpRequest, principal: Principal, asked: AuthorizationRequest) -> HttpResponse:
    context = {
        "client": asked.client,
        "scopes": scope_labels(asked.scopes),
        "person": principal,
        "goes_to": urlsplit(asked.redirect_uri).hostname or asked.redirect_uri.partition(":")[0],
        "action": request.get_full_path(),
    }
    return render(request, "account/oauth/consent.html", context)


def _leave(
    request: HttpRequest, redirect_uri: str, client_name: str, said: dict[str, str], state: str
) -> HttpResponse:
    """Go back to the client's registered address; see the module's text for the two ways."""
    values = {**said, "iss": access_tokens.issuer()}
    if state:
        values["state"] = state
    target = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(values)}"
    if _comes_from_a_form(request):
        return render(request, "account/oauth/leave.html", {"target": target, "client_name": client_name})
    return HttpResponse(status=303, headers={"Location": target})


def _comes_from_a_form(request: HttpRequest) -> bool:
    """Return whether a page of ours may have led here; browsers on plain HTTP tell only the page before."""
    own = f"{request.scheme}://{request.get_host()}/"
    return (
        request.method == "POST"
        or request.headers.get("Sec-Fetch-Site") in _OWN_PAGES
        or request.headers.get("Referer", "").startswith(own)
    )


def _is_too_long_ago(request: HttpRequest, asked: AuthorizationRequest) -> bool:
    signed_in_at = _proof(request).signed_in_at
    since = request.session.get(ASKED_TO_SIGN_IN, {}).get(_name(asked))
    if since is not None and signed_in_at >= since:
        return False  # signed in for this request
    if "login" in asked.prompt:
        return True
    return asked.max_age is not None and time.time() - signed_in_at > asked.max_age


def _note_asked(request: HttpRequest, asked: AuthorizationRequest) -> None:
    if "login" not in asked.prompt and asked.max_age is None:
        return
    kept = list(request.session.get(ASKED_TO_SIGN_IN, {}).items())[-_MOST_ASKED + 1 :]
    request.session[ASKED_TO_SIGN_IN] = {**dict(kept), _name(asked): int(time.time())}


def _forget_asked(request: HttpRequest, asked: AuthorizationRequest) -> None:
    kept = request.session.get(ASKED_TO_SIGN_IN, {})
    if _name(asked) in kept:
        request.session[ASKED_TO_SIGN_IN] = {name: at for name, at in kept.items() if name != _name(asked)}


def _name(asked: AuthorizationRequest) -> str:
    """Return what tells this request from others; the PKCE challenge is new each time."""
    return hashlib.sha256(f"{asked.client.id} {asked.challenge} {asked.state}".encode()).hexdigest()[:32]


def _proof(request: HttpRequest) -> Proof:
    """Return when and how the person last proved who it is, by what sign-in and step-up noted in the session."""
    shown = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    times = [int(one.get("at", 0)) for one in shown] + [int(request.session.get(CONFIRMED_AT, 0))]
    used = {_METHODS.get(str(one.get("type") or one.get("method")), "") for one in shown} - {""}
    is_twofold = len(used) > 1 or factor_id_of(request.session) is not None
    methods = (*sorted(used), "mfa") if is_twofold else tuple(used)
    return Proof(max([*times, int(request.session.get(SIGNED_IN_AT, 0))]), methods)


def _device_form(request: HttpRequest, form: DeviceCodeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "account/oauth/device.html", {"form": form}, status=status)


def _limit_codes(request: HttpRequest) -> None:
    """Count typed codes by person and by network (RFC 8628 5.1).

    Raises:
        TooManyRequests.
    """
    buckets = [
        Bucket("device_codes", str(request.user.pk), 5, 10),
        Bucket("device_codes_network", network(client_address(request)), 20, 60),
    ]
    limits.take(buckets).require()

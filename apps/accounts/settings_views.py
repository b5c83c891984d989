"""The settings of the person who reads: profile, language and theme, password, signed-in browsers, API keys."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.forms import ApiKeyForm, PreferencesForm, ProfileForm, scope_labels
from apps.accounts.selectors import api_keys as key_selectors
from apps.accounts.selectors import members as member_selectors
from apps.accounts.selectors import oauth as oauth_selectors
from apps.accounts.selectors import sessions as session_selectors
from apps.accounts.selectors import tokens as token_selectors
from apps.accounts.selectors.factors import has_factor
from apps.accounts.selectors.view_as import list_looks
from apps.accounts.services import access, api_keys, members, oauth_consents, sessions, tokens
from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.core.errors import DomainError

if TYPE_CHECKING:
    from django.forms import Form


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal


@never_cache
@require_safe
def settings_page(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show everything a person may set for itself."""
    return _page(request)


@require_POST
def profile(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change name, title and about."""
    form = ProfileForm(request.POST, auto_id="profile_%s")
    if not form.is_valid():
        return _page(request, profile_form=form)
    try:
        members.update_profile(principal=request.principal, **form.cleaned_data)
    except DomainError as refused:
        form.add_error(None, refused.detail)
        return _page(request, profile_form=form)
    return _saved(request, "profile", _("Profile saved"))


@require_POST
def preferences(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change language and theme, in all organizations of the person."""
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _page(request, preferences_form=form)
    members.update_preferences(user_id=request.principal.id, **form.cleaned_data)
    return _saved(request, "appearance", _("Saved"))


@require_POST
def theme(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change the theme from the rail."""
    members.update_preferences(user_id=request.principal.id, theme=request.POST.get("theme", ""))
    return HttpResponse(status=204)


@require_POST
def end_session(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Sign another browser out, or all others."""
    wanted = request.POST.get("session", "")
    if wanted == "others":
        count = sessions.end_others(user_id=request.principal.id, keep_key=request.session.session_key or "")
        said = _("Signed out in all other browsers") if count else _("There was no other browser")
    else:
        sessions.end_session(user_id=request.principal.id, session=wanted)
        said = _("Signed out there")
    return _saved(request, "sessions", said)


@never_cache
@require_POST
@recent_sign_in_required
def create_key(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Make an API key and show its secret, this one time."""
    form = ApiKeyForm(request.POST, auto_id="key_%s")
    if not form.is_valid():
        return _page(request, key_form=form)
    try:
        issued = api_keys.issue_key(
            principal=request.principal,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=timezone.now() + dt.timedelta(days=form.cleaned_data["days"]),
            limits=form.limits(),
        )
    except DomainError as refused:
        form.add_error(None, refused.detail)
        return _page(request, key_form=form)
    return _page(request, issued=issued)


@require_POST
def revoke_key(request: PageRequest, slug: str, key_id: UUID) -> HttpResponse:  # noqa: ARG001
    """End an API key."""
    api_keys.revoke_key(principal=request.principal, key_id=key_id)
    return _saved(request, "keys", _("The key has ended"))


@require_POST
@recent_sign_in_required
def reactivate_key(request: PageRequest, slug: str, key_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Let a suspended API key work again."""
    api_keys.reactivate_key(principal=request.principal, key_id=key_id)
    return _saved(request, "keys", _("The key works again"))


@require_POST
def end_token(request: PageRequest, slug: str, token_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Sign a client out that was signed in by tokens."""
    tokens.end_family(principal=request.principal, family_id=token_id)
    return _saved(request, "clients", _("Signed out there"))


@require_POST
def end_consent(request: PageRequest, slug: str, consent_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take back what an app was allowed."""
    oauth_consents.end_consent(principal=request.principal, consent_id=consent_id)
    return _saved(request, "apps", _("The app has no access any more"))


def _page(request: PageRequest, **changed: Any) -> HttpResponse:
    principal = request.principal
    own = member_selectors.get_member(principal, principal.member_id)
    account = member_selectors.get_account(principal.id)
    may_have_keys = bool(access.can(principal, "api_key.own"))
    context: dict[str, Any] = {
        "area": "settings",
        "person": own,
        "profile_form": ProfileForm(
            auto_id="profile_%s", initial={"name": own.name, "title": own.title, "about": own.about}
        ),
        "preferences_form": PreferencesForm(initial={"language": account.language, "theme": account.theme}),
        "account": account,
        "sessions": session_selectors.list_sessions(
            user_id=principal.id, current_key=request.session.session_key or ""
        ),
        "tokens": token_selectors.list_tokens(principal),
        "has_factor": has_factor(user_id=principal.id),
        "consents": [
            (consent, scope_labels(consent.scopes)) for consent in oauth_selectors.list_consents(principal)
        ],
        "may_have_keys": may_have_keys,
        "keys": key_selectors.list_keys(principal) if may_have_keys else [],
        "key_form": ApiKeyForm(auto_id="key_%s", initial={"scopes": ["chat:read"], "days": 90}),
        "looks": list_looks(organization_id=principal.organization_id, person_id=principal.id),
        "now": timezone.now(),
        **changed,
    }
    forms: list[Form] = [value for name, value in changed.items() if name.endswith("_form")]
    return render(
        request, "accounts/settings.html", context, status=422 if any(form.errors for form in forms) else 200
    )


def _saved(request: PageRequest, section: str, said: str) -> HttpResponse:
    messages.success(request, said)
    address = reverse("people:settings", kwargs={"slug": request.principal.organization_slug})
    return HttpResponseRedirect(f"{address}#{section}")

"""The settings page of notifications."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DomainError, InvalidInput
from apps.core.http.local_time import zone_of
from apps.notify.forms import QuietForms, WishesForm
from apps.notify.selectors import addresses
from apps.notify.selectors.levels import level_of
from apps.notify.selectors.preferences import get_preferences
from apps.notify.services import preferences, subscriptions, vapid
from apps.notify.types import LEVELS
from apps.notify.views.common import PageRequest, back

PAUSES = {"30": timedelta(minutes=30), "60": timedelta(hours=1), "120": timedelta(hours=2)}


@never_cache
@require_safe
def settings_page(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Show what the reader is told, and how."""
    return _page(request)


@require_POST
def save_wishes(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change what is told and by which ways."""
    form = WishesForm.of(get_preferences(request.principal), request.POST)
    if not form.is_valid():
        return _page(request, wishes_form=form)
    preferences.change(request.principal, **form.changes(), **_zone(request))
    return back(request, "settings", said=_("Saved"), section="wishes")


@require_POST
def save_quiet(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Change the quiet hours."""
    forms = QuietForms.of(get_preferences(request.principal), request.POST)
    if not forms.is_valid():
        return _page(request, quiet_forms=forms)
    preferences.change(request.principal, quiet=forms.times(), **_zone(request))
    return back(request, "settings", said=_("Quiet hours saved"), section="quiet")


@require_POST
def pause(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Do not disturb for a while, until tomorrow, or no more."""
    until = _pause_end(request.POST.get("for", ""))
    preferences.stay_undisturbed(request.principal, until=until)
    said = _("No push messages until then") if until else _("Push messages come again")
    if (where := _asked_from(request)) is not None:
        messages.success(request, said)
        return HttpResponseRedirect(where)
    return back(request, "settings", said=said, section="pause")


@require_POST
def keywords(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add or remove a keyword."""
    word = request.POST.get("word", "")
    try:
        if gone := request.POST.get("remove"):
            preferences.remove_keyword(request.principal, word=gone)
        else:
            preferences.add_keyword(request.principal, word=word)
    except DomainError as refused:
        messages.error(request, refused.detail)
        again = _page(request, word=word)
        again.status_code = 422
        return again
    return back(request, "settings", section="keywords")


@never_cache
@require_safe
def place(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Show the level of one conversation or thread, as a dialog or a page."""
    wanted = request.GET.get("place", "")
    kind = preferences.require_place(request.principal, wanted)
    choices = [(value, str(label)) for value, label in kind.levels.items()]
    chosen = level_of(request.principal, wanted)
    if kind.standing is None:
        choices.insert(0, ("", _("As everywhere else")))
    elif not chosen:
        chosen = kind.standing(request.principal, UUID(wanted.partition(":")[2]))
    context = {
        "area": "chat",
        "place": wanted,
        "choices": choices,
        "chosen": chosen,
        "hint": kind.hint,
        "next": request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""),
        "title": _("Notifications"),
        "part": "notify/parts/place.html",
    }
    return render(request, "parts/dialog.html" if request.htmx else "notify/place.html", context)


@require_POST
def level(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Set the level of one place, and go back to where it was asked for."""
    wanted = request.POST.get("level", "")
    if wanted and wanted not in LEVELS:
        raise InvalidInput
    preferences.set_level(request.principal, place=request.POST.get("place", ""), level=wanted)
    if (where := _asked_from(request)) is not None:
        messages.success(request, _("Saved"))
        return HttpResponseRedirect(where)
    return back(request, "settings", said=_("Saved"))


@require_POST
def end_browser(request: PageRequest, slug: str, subscription_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Send nothing more to a browser."""
    subscriptions.unsubscribe(request.principal, subscription_id=subscription_id)
    return back(
        request, "settings", said=_("This browser gets no push messages any more"), section="browsers"
    )


def _asked_from(request: PageRequest) -> str | None:
    """Return the page of this server where something was asked for, if the form names one."""
    where = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return where if is_ours else None


def _page(request: PageRequest, **changed: Any) -> HttpResponse:
    principal = request.principal
    wishes = get_preferences(principal)
    context: dict[str, Any] = {
        "area": "settings",
        "wishes": wishes,
        "wishes_form": WishesForm.of(wishes),
        "quiet_forms": QuietForms.of(wishes),
        "browsers": addresses.list_browsers(principal),
        "digests": addresses.endpoint_digests(principal),
        "levels": preferences.levels_of(principal),
        "push_key": vapid.public_key(),
        "is_paused": wishes.do_not_disturb_until is not None and wishes.do_not_disturb_until > timezone.now(),
        "zone": timezone.get_current_timezone_name(),
        **changed,
    }
    sent = [value for name, value in changed.items() if name.endswith(("_form", "_forms"))]
    status = 200 if all(form.is_valid() for form in sent) else 422
    return render(request, "notify/settings.html", context, status=status)


def _zone(request: PageRequest) -> dict[str, str]:
    """Return the zone the browser says it is in, so that quiet hours and digests are the person's."""
    found = zone_of(request)
    return {"time_zone": found.key} if found is not None else {}


def _pause_end(wanted: str) -> datetime | None:
    if wanted in PAUSES:
        return timezone.now() + PAUSES[wanted]
    if wanted == "tomorrow":
        tomorrow = timezone.localtime() + timedelta(days=1)
        return tomorrow.replace(hour=8, minute=0, second=0, microsecond=0)
    return None

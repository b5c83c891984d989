"""People: suggestions while writing a mention, the own picture, which lies among the files, and the own status."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.selectors import groups, people
from apps.accounts.services import access, members
from apps.chat.errors import PersonNotFound
from apps.chat.forms import SharingForm, StatusForm
from apps.chat.selectors import statuses as status_selectors
from apps.chat.services import presence, statuses
from apps.chat.views.common import PageRequest, leave_to, page_or_dialog, posted
from apps.core.errors import DomainError
from apps.files.services import pictures
from apps.notify.selectors.preferences import preferences_of

MOST = 8
STATES = {
    "online": gettext_lazy("here"),
    "away": gettext_lazy("away"),
    "undisturbed": gettext_lazy("does not want to be disturbed"),
    "offline": gettext_lazy("not here"),
}


@require_safe
def find(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Return who a mention may name, by the beginning of a word of their name, and groups of people."""
    prefix = request.GET.get("q", "")
    found = people.find_by_name(principal=request.principal, prefix=prefix, limit=MOST)
    named = groups.find_mentionable(request.principal, prefix, limit=MOST)
    return JsonResponse(
        {
            "groups": [{"name": group.name, "members": group.members} for group in named],
            "people": [
                {
                    "id": str(person.id),
                    "name": person.name,
                    "title": person.shown_title,
                    "initials": person.initials,
                    "tint": person.tint,
                    "is_agent": person.is_agent,
                }
                for person in found
            ],
        }
    )


@require_POST
def set_picture(request: PageRequest, slug: str) -> HttpResponse:
    """Show a picture beside the own name, or none."""
    chosen = request.FILES.get("picture")
    try:
        if "remove" in request.POST:
            members.set_avatar(principal=request.principal, file_id=None)
        elif isinstance(chosen, UploadedFile):
            stored = pictures.store_avatar(
                principal=request.principal, name=chosen.name or "picture", data=chosen.read()
            )
            members.set_avatar(principal=request.principal, file_id=stored.id)
        messages.success(request, _("Picture saved"))
    except DomainError as refused:
        messages.error(request, refused.detail)
    return HttpResponseRedirect(reverse("people:settings", kwargs={"slug": slug}))


@require_safe
def card(request: PageRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Say who somebody is and what it does now: beside its face, or as a page."""
    person = people.visible_people(principal=request.principal, ids=[person_id]).get(person_id)
    if person is None:
        raise PersonNotFound
    states, words = presence.states(organization_id=request.principal.organization_id, people=[person_id])
    context = {
        "person": person,
        "state": states[person_id],
        "label": STATES[states[person_id]],
        "words": words.get(person_id),
        "slug": slug,
        "may_write": person_id != request.principal.id
        and bool(access.can(request.principal, "conversation.create_direct")),
    }
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "chat/parts/person.html", context)
    return page_or_dialog(request, "chat/parts/person.html", context, title=person.name)


@require_http_methods(["GET", "HEAD", "POST"])
def status(request: PageRequest, slug: str) -> HttpResponse:
    """Say what one is doing, until when; and what of oneself others see."""
    own = status_selectors.get_status(request.principal)
    initial = {"emoji": own.emoji, "text": own.text, "is_away": own.is_away}
    form = StatusForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            statuses.set_status(request.principal, expires_at=_end(said.pop("ends")), **said)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            return leave_to(request, _back(request, slug), said=_("Status saved"))
    shown = {"shows_presence": own.shows_presence, "shows_typing": own.shows_typing}
    context = {
        "own": own,
        "form": form,
        "sharing_form": SharingForm(initial=shown),
        "rules": status_selectors.rules(),
        "undisturbed_until": _undisturbed_until(request),
        "next": request.headers.get("HX-Current-URL") or request.path,
        "slug": slug,
    }
    code = 422 if form.errors else 200
    return page_or_dialog(request, "chat/parts/status.html", context, title=_("Status"), status=code)


@require_POST
def clear_status(request: PageRequest, slug: str) -> HttpResponse:
    """Take the status back."""
    statuses.set_status(request.principal)
    return leave_to(request, _back(request, slug), said=_("Status taken back"))


@require_POST
def sharing(request: PageRequest, slug: str) -> HttpResponse:
    """Let others see, or not, whether one is here and writing."""
    form = SharingForm(request.POST)
    if form.is_valid():
        statuses.set_sharing(request.principal, **form.cleaned_data)
    return leave_to(request, _back(request, slug), said=_("Saved"))


def _undisturbed_until(request: PageRequest) -> datetime | None:
    """Return until when the reader does not want to be disturbed; None where it does not mind."""
    until = preferences_of([request.principal.id])[request.principal.id].do_not_disturb_until
    return until if until is not None and until > timezone.now() else None


def _back(request: PageRequest, slug: str) -> str:
    """Scripts open the dialog where one reads, and stay there."""
    here = request.htmx.current_url_abs_path if request.htmx else None
    return here or reverse("people:settings", kwargs={"slug": slug})


def _end(chosen: str) -> datetime | None:
    """Return when a status ends, in the reader's own day and week."""
    if chosen.isdigit():
        return timezone.now() + timedelta(minutes=int(chosen))
    if not chosen:
        return None
    today = timezone.localdate()
    last = today if chosen == "today" else today + timedelta(days=6 - today.weekday())
    return timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min))

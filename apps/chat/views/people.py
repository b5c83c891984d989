"""People: suggestions while writing a mention, and the own picture, which lies among the files."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.selectors import groups, people
from apps.accounts.services import members
from apps.chat.views.common import PageRequest
from apps.core.errors import DomainError
from apps.files.services import pictures

MOST = 8


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
                    "title": person.title,
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

"""The organization's own emoji, for the picker and for reactions."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.chat.errors import EmojiNotFound
from apps.chat.selectors.emoji import custom_emoji, find_emoji
from apps.chat.views.common import PageRequest


@require_safe
def emoji_list(request: PageRequest, slug: str) -> JsonResponse:  # noqa: ARG001 - the middleware read it
    """Return the names."""
    return JsonResponse({"emoji": [one.code for one in custom_emoji(request.principal)]})


@require_safe
def emoji_picture(request: PageRequest, slug: str, code: str) -> HttpResponse:
    """Go to the picture of an emoji."""
    found = find_emoji(request.principal, code)
    if found is None:
        raise EmojiNotFound
    return HttpResponseRedirect(reverse("files:unnamed", kwargs={"slug": slug, "file_id": found.file}))

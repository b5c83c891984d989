"""What pages of notifications share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from apps.accounts.types import Principal

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal
    htmx: HtmxDetails


def back(request: PageRequest, name: str, *, said: str = "", section: str = "") -> HttpResponseRedirect:
    """Go back to a page after a form."""
    if said:
        messages.success(request, said)
    address = reverse(f"notify:{name}", kwargs={"slug": request.principal.organization_slug})
    return HttpResponseRedirect(f"{address}#{section}" if section else address)

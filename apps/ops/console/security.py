"""The console's security page: what is on, what is off and why, and where each is changed."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import console_shell
from apps.core.registry import console_pages
from apps.ops.console.common import SECURITY, ConsoleRequest
from apps.ops.selectors.protections import list_protections
from apps.ops.types import Protection


@never_cache
@require_safe
def security(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show every protection; a link only where the reader may follow it."""
    protections, reader = list_protections(request.principal), request.principal
    pages = {page.slug: page for page in console_pages() if console_shell.may_open(reader, page.permission)}
    lines = [(line, pages.get(line.page)) for line in protections]
    context = {"console_page": SECURITY, "lines": lines, "headline": headline(protections)}
    return render(request, "console/security.html", context)


def headline(protections: list[Protection]) -> str:
    """Return one sentence over all of them."""
    open_ones = sum(line.tone in ("bad", "warn") for line in protections)
    if open_ones:
        return ngettext(
            "%(count)s protection needs a look", "%(count)s protections need a look", open_ones
        ) % {"count": open_ones}  # fmt: skip
    return _("All protections are on")

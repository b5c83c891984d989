"""The console's page of retrieval: what was searched for and how long it took, and how much the index finds."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.registry import register_console_page
from apps.rag.selectors import traces
from apps.rag.selectors.traces import SearchRecord, TracedHit, Which
from apps.rag.selectors.viewing import hit_address
from apps.rag.services import inspecting, recall
from apps.rag.types import SLOW_MS, SearchOrigin

PAGE = "retrieval"
_LISTS: Final = {
    "": gettext_lazy("All searches"),
    "slow": gettext_lazy("Slow"),
    "empty": gettext_lazy("Without a hit"),
    "bad": gettext_lazy("With a hit that was not meant"),
}
_STAGES: Final = {
    "understanding": gettext_lazy("Reading the query"),
    "synonyms": gettext_lazy("Synonyms"),
    "related": gettext_lazy("Related words"),
    "rewriting": gettext_lazy("Words of the language model"),
    "encoding": gettext_lazy("Vector of the query"),
    "visible": gettext_lazy("Counting what is visible"),
    "weighing": gettext_lazy("Weighing the words"),
    "words": gettext_lazy("Search by words"),
    "meaning": gettext_lazy("Search by meaning"),
    "fusing": gettext_lazy("Ranking"),
    "listing": gettext_lazy("List of messages"),
    "passages": gettext_lazy("Reading the hits"),
}


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@never_cache
@require_safe
def searches(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List searches with what they come to; a filter is an address."""
    which = request.GET.get("which", "")
    which = which if which in _LISTS else ""
    origin = request.GET.get("origin", "")
    origin = origin if origin in SearchOrigin.values else ""
    rows, paging = console_shell.paged(
        request,
        lambda offset, limit: inspecting.look_at_searches(
            request.principal, which=cast("Which", which), origin=origin, offset=offset, limit=limit
        ),
    )
    checks = traces.list_recall_checks(request.principal)
    context = {
        "console_page": PAGE,
        "rows": rows,
        "paging": paging,
        "which": which,
        "origin": origin,
        "lists": _LISTS.items(),
        "origins": SearchOrigin.choices,
        "sums": traces.sum_up(request.principal),
        "slow_ms": SLOW_MS,
        "checks": checks,
        "latest": next((one for one in checks if one.recall is not None), None),
    }
    return render(request, "console/retrieval.html", context)


@never_cache
@require_safe
def one_search(request: ConsoleRequest, slug: str, search_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show what one search asked, did and found."""
    found = inspecting.look_at_search(request.principal, search_id)
    context = {
        "console_page": PAGE,
        "search": found,
        "stages": [(_STAGES.get(name, name), took) for name, took in found.stages],
        "hits": [(hit, _address(request.principal, hit)) for hit in found.hits],
        "again_url": _again(request.principal, found),
        **_passages(found),
    }
    return render(request, "console/retrieval_search.html", context)


@require_POST
def check_now(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Start a check of the index; its outcome stands on the page when it is done."""
    return console_shell.act(
        request,
        lambda: recall.start_check(request.principal),
        back=console_shell.address(request.principal, PAGE),
        said=_("The index is being checked; the result is shown here"),
    )


def _passages(found: SearchRecord) -> dict[str, Any]:
    """Return how many passages each stage let through."""
    counts = found.counts
    return {
        "counts": counts,
        "is_ranked": found.path not in ("list", "nothing"),
        "dropped": max(0, counts.get("candidates", 0) - counts.get("ranked", 0)),
        "filters": sorted(found.filters.items()),
    }


def _address(principal: Principal, traced: TracedHit) -> str:
    return hit_address(principal, traced.hit) if traced.hit else ""


def _again(principal: Principal, found: SearchRecord) -> str:
    """Return the address of the same search with the reader's own rights; operators of an agent's are words."""
    address = reverse("rag:search", kwargs={"slug": principal.organization_slug})
    return f"{address}?{urlencode({'q': found.query})}"


register_console_page(
    PAGE,
    gettext_lazy("Retrieval"),
    "chart",
    traces.INSPECT,
    searches,
    order=56,
    routes=[
        path("check/", check_now, name="retrieval-check"),
        path("<uuid:search_id>/", one_search, name="retrieval-search"),
    ],
)

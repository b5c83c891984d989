"""The console's pages of runs: what works now, what failed and why, and the two things one can do about it."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.registry import register_console_page
from apps.runs.selectors import administration
from apps.runs.services.runs import cancel_run, retry_run

PAGE = "runs"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def runs(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List runs with their progress; the page looks again by itself while one is open."""
    state = request.GET.get("state", "")
    asked = {
        "kind": request.GET.get("kind", "")[:60],
        "state": state if state in administration.FILTERS else "",
    }
    load = partial(administration.page_of_runs, request.principal, kind=asked["kind"], state=asked["state"])
    lines, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    context = {
        "console_page": PAGE,
        "lines": lines,
        "paging": paging,
        "is_live": any(not line.run.is_finished for line in lines),
        "kinds": administration.list_kinds(request.principal),
        "counts": administration.count_runs(request.principal),
        **asked,
    }
    return render(request, "console/runs.html", context)


@require_safe
def details(request: ConsoleRequest, slug: str, run_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show a run, its steps with the failed ones first, and to operators why each try failed."""
    line = administration.get_line(request.principal, run_id)
    load = partial(administration.page_of_steps, request.principal, run_id)
    steps, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    traces = administration.failures_of([step.id for step in steps]) if request.principal.is_staff else {}
    context = {
        "console_page": PAGE,
        "line": line,
        "steps": [(step, traces.get(step.id, [])) for step in steps],
        "paging": paging,
        "is_live": not line.run.is_finished,
    }
    return render(request, "console/run.html", context)


@require_POST
def stop(request: ConsoleRequest, slug: str, run_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Stop a run."""
    return console_shell.act(
        request,
        lambda: cancel_run(principal=request.principal, run_id=run_id),
        back=_back(request, run_id),
        said=_("The run is being stopped"),
    )


@require_POST
def retry(request: ConsoleRequest, slug: str, run_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Try the failed steps of a run again."""
    return console_shell.act(
        request,
        lambda: retry_run(principal=request.principal, run_id=run_id),
        back=_back(request, run_id),
        said=_("What failed is tried again"),
    )


def _back(request: ConsoleRequest, run_id: UUID) -> str:
    """Return to the page the button was on."""
    where = request.POST.get("back", "")
    if where == "run":
        return console_shell.address(request.principal, "run", run_id=run_id)
    return console_shell.address(request.principal, "overview" if where == "overview" else PAGE)


register_console_page(
    PAGE,
    gettext_lazy("Runs"),
    "flow",
    "run.view_any",
    runs,
    order=60,
    routes=[
        path("<uuid:run_id>/", details, name="run"),
        path("<uuid:run_id>/stop/", stop, name="run-stop"),
        path("<uuid:run_id>/retry/", retry, name="run-retry"),
    ],
)

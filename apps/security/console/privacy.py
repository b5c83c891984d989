"""The console's page of privacy: requests and their progress, the second approval, certificates, legal holds."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.selectors.members import list_members
from apps.accounts.services import access
from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.errors import DomainError
from apps.core.registry import register_console_page
from apps.runs.selectors.naming import register_kind, register_subjects
from apps.security.errors import RequestNotFound
from apps.security.forms import HoldForm, RequestForm
from apps.security.selectors import holds as hold_selectors
from apps.security.selectors import privacy as selectors
from apps.security.selectors import whole
from apps.security.selectors.data_exports import newest_exports
from apps.security.services import erasure, exporting, holds, suppression
from apps.security.types import ERASURE, EXPORT, SUBJECT, RequestKind, RequestState

PAGE = "privacy"
MOST_PEOPLE = 1000


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def privacy(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List requests, newest first, and holds."""
    state = request.GET.get("state", "")
    state = state if state in RequestState.values else ""
    load = partial(selectors.page_of_requests, request.principal, state=state)
    lines, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    exports = newest_exports(request.principal, kind=whole.KEY, most=3)
    context = {
        "console_page": PAGE,
        "lines": lines,
        "paging": paging,
        "state": state,
        "states": RequestState.choices,
        "holds": hold_selectors.list_holds(request.principal),
        "is_live": any(line.is_live for line in lines),
        "may_export": bool(access.can(request.principal, whole.RIGHT)),
        "exports": exports,
        "is_making": any(one.is_live for one in exports),
    }
    return render(request, "console/privacy.html", context)


@require_safe
def request_page(request: ConsoleRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show a request: what it would do or did, what forbids it, its proof."""
    line = selectors.get_request(request.principal, request_id)
    context = {
        "console_page": PAGE,
        "line": line,
        "holds": selectors.holds_against(request.principal, request_id),
        "kept": selectors.kept_by_all(),
        "erased": selectors.erased_lines(line),
        "is_genuine": bool(line.certificate) and suppression.is_genuine(dict(line.certificate or {})),
        "is_live": line.is_live,
    }
    return render(request, "console/privacy/request.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@recent_sign_in_required
def new_request(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Ask for an export or an erasure."""
    part, title = "console/privacy/new.html", _("New privacy request")
    people = _people(request.principal)
    if request.method != "POST":
        form = RequestForm(people=people, initial={"person": request.GET.get("person", "")})
        return console_shell.page_or_dialog(request, part, {"form": form}, page=PAGE, title=title)
    form = RequestForm(request.POST, people=people)
    if form.is_valid():
        try:
            request_id = _ask(request.principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            where = console_shell.address(request.principal, "privacy-request", request_id=request_id)
            return console_shell.leave_to(request, where, said=_("The request is there"))
    return console_shell.form_again(request, part, {}, form, page=PAGE, title=title)


@require_POST
@recent_sign_in_required
def approve(request: ConsoleRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Approve an erasure as the second administrator."""
    return console_shell.act(
        request,
        lambda: erasure.approve_erasure(principal=request.principal, request_id=request_id),
        back=_back(request, request_id),
        said=_("The erasure has begun"),
    )


@require_POST
def cancel(request: ConsoleRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Withdraw a request, or stop its work."""
    return console_shell.act(
        request,
        lambda: erasure.cancel_request(principal=request.principal, request_id=request_id),
        back=_back(request, request_id),
        said=_("The request is withdrawn"),
    )


@require_POST
def retry(request: ConsoleRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Go on with what failed."""
    return console_shell.act(
        request,
        lambda: erasure.retry_request(principal=request.principal, request_id=request_id),
        back=_back(request, request_id),
        said=_("What failed is tried again"),
    )


@never_cache
@require_safe
def certificate(request: ConsoleRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Hand out the certificate of an erasure."""
    line = selectors.get_request(request.principal, request_id)
    if line.certificate is None:
        raise RequestNotFound
    name = f"erasure-{line.pseudonym[:8]}.json"
    return HttpResponse(
        orjson.dumps(line.certificate, option=orjson.OPT_INDENT_2),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new_hold(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Hold a person's data or a conversation."""
    part, title = "console/privacy/hold.html", _("New legal hold")
    targets = [(f"person:{pk}", name) for pk, name in _people(request.principal)]
    targets += selectors.holdable_places(request.principal)
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request, part, {"form": HoldForm(targets=targets)}, page=PAGE, title=title
        )
    form = HoldForm(request.POST, targets=targets)
    if form.is_valid():
        kind, _separator, pk = form.cleaned_data["target"].partition(":")
        what: dict[str, Any] = (
            {"subject_id": UUID(pk)} if kind == "person" else {"target_kind": kind, "target_id": UUID(pk)}
        )
        try:
            holds.place_hold(principal=request.principal, reason=form.cleaned_data["reason"], **what)
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            where = console_shell.address(request.principal, PAGE)
            return console_shell.leave_to(request, where, said=_("The hold is in force"))
    return console_shell.form_again(request, part, {}, form, page=PAGE, title=title)


@require_POST
def release_hold(request: ConsoleRequest, slug: str, hold_id: UUID) -> HttpResponse:  # noqa: ARG001
    """End a hold."""
    return console_shell.act(
        request,
        lambda: holds.release_hold(principal=request.principal, hold_id=hold_id),
        back=console_shell.address(request.principal, PAGE),
        said=_("The hold is released"),
    )


def _ask(principal: Principal, *, kind: str, person: str, reason: str) -> UUID:
    if kind == RequestKind.EXPORT:
        return exporting.start_export(principal=principal, subject_id=UUID(person), reason=reason)
    return erasure.request_erasure(principal=principal, subject_id=UUID(person), reason=reason)


def _people(principal: Principal) -> list[tuple[str, str]]:
    members = list_members(principal, include_inactive=True, limit=MOST_PEOPLE)
    return [
        (str(member.id), f"{member.name}, {member.email}" if member.email else member.name)
        for member in members
        if member.kind == "person" and not selectors.is_placeholder(member)
    ]


def _back(request: ConsoleRequest, request_id: UUID) -> str:
    return console_shell.address(request.principal, "privacy-request", request_id=request_id)


register_console_page(
    PAGE,
    gettext_lazy("Privacy"),
    "lock",
    selectors.MANAGE,
    privacy,
    order=65,
    routes=[
        path("new/", new_request, name="privacy-new"),
        path("holds/new/", new_hold, name="privacy-hold-new"),
        path("holds/<uuid:hold_id>/release/", release_hold, name="privacy-hold-release"),
        path("<uuid:request_id>/", request_page, name="privacy-request"),
        path("<uuid:request_id>/approve/", approve, name="privacy-approve"),
        path("<uuid:request_id>/cancel/", cancel, name="privacy-cancel"),
        path("<uuid:request_id>/retry/", retry, name="privacy-retry"),
        path("<uuid:request_id>/certificate/", certificate, name="privacy-certificate"),
    ],
)
register_kind(EXPORT, gettext_lazy("Export a person's data"))
register_kind(ERASURE, gettext_lazy("Erase a person"))
register_subjects(SUBJECT, selectors.subject_labels)

"""A person's own data: start an export, follow it, fetch it. Administrators fetch what they asked for here too."""

from __future__ import annotations

import asyncio
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.core.errors import DomainError, NotFound
from apps.security.errors import ExportNotFound, RequestNotFound
from apps.security.selectors import whole
from apps.security.selectors.data_exports import find_archive, newest_exports
from apps.security.selectors.privacy import find_file, own_exports
from apps.security.services import data_exports, erasure, exporting
from apps.security.services.delivery import archive_response


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal


@never_cache
@require_safe
def own_data(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show what a person can do about its data, and its exports."""
    exports, others = own_exports(request.principal), newest_exports(request.principal)
    context = {
        "area": "settings",
        "exports": exports,
        "is_running": any(one.is_live for one in exports),
        "others": others,
        "is_making": any(one.is_live for one in others),
    }
    return render(request, "security/own_data.html", context)


@require_POST
@recent_sign_in_required
def start(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Start an export of the reader's own data."""
    try:
        exporting.start_export(principal=request.principal)
    except DomainError as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("The export has begun. Come back in a moment."))
    return _back(request)


@require_POST
def cancel(request: PageRequest, slug: str, request_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Stop an own export."""
    try:
        erasure.cancel_request(principal=request.principal, request_id=request_id)
    except RequestNotFound as error:
        raise Http404 from error
    except DomainError as refused:
        messages.error(request, refused.detail)
    return _back(request)


@require_safe
@recent_sign_in_required
async def file(request: HttpRequest, slug: str, request_id: UUID) -> HttpResponseBase:  # noqa: ARG001
    """Deliver the archive of an export to the person concerned, or to who asked for it."""
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    try:
        key = await sync_to_async(find_file)(principal, request_id)
        response = await asyncio.to_thread(archive_response, key)
    except (RequestNotFound, FileNotFoundError) as error:
        raise Http404 from error
    await sync_to_async(exporting.note_fetched)(principal, request_id)
    return response


@require_POST
@recent_sign_in_required
def start_data_export(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Start an export of a conversation or of the organization; the list is where the button was."""
    kind = request.POST.get("kind", "")
    try:
        target = UUID(request.POST.get("target", ""))
        data_exports.start(principal=request.principal, kind=kind, target_id=target)
    except (ValueError, NotFound) as error:
        raise Http404 from error
    except DomainError as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, _("The export has begun. Come back in a moment."))
        if kind == whole.KEY:
            page = reverse("console:privacy", kwargs={"slug": request.principal.organization_slug})
            return HttpResponseRedirect(f"{page}#organization")
    return _back(request, "#exports")


@require_POST
def cancel_data_export(request: PageRequest, slug: str, export_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Stop an export of a conversation or of the organization."""
    try:
        data_exports.cancel(principal=request.principal, export_id=export_id)
    except ExportNotFound as error:
        raise Http404 from error
    return _back(request, "#exports")


@require_safe
@recent_sign_in_required
async def data_export_file(request: HttpRequest, slug: str, export_id: UUID) -> HttpResponseBase:  # noqa: ARG001
    """Deliver the archive to who asked for it and still may."""
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    try:
        key = await sync_to_async(find_archive)(principal, export_id)
        response = await asyncio.to_thread(archive_response, key)
    except (ExportNotFound, FileNotFoundError) as error:
        raise Http404 from error
    await sync_to_async(data_exports.note_fetched)(principal, export_id)
    return response


def _back(request: PageRequest, part: str = "") -> HttpResponseRedirect:
    where = reverse("privacy:own", kwargs={"slug": request.principal.organization_slug})
    return HttpResponseRedirect(where + part)

"""The console's page of imports: upload an export, read what it would do, store it, follow it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services.step_up import recent_sign_in_required
from apps.accounts.types import Principal
from apps.chat.import_errors import NoImportFile
from apps.chat.script_texts import chat_texts
from apps.chat.selectors import importing as selectors
from apps.chat.services.slack import imports
from apps.core import console_shell
from apps.core.errors import DomainError
from apps.core.registry import register_console_page
from apps.files.services.uploads import store_file

PAGE = "imports"


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@require_safe
def overview(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List imports, and take a new export."""
    rows = selectors.list_imports(request.principal)
    context = {
        "console_page": PAGE,
        "rows": rows,
        "is_live": any(row.is_live for row in rows),
        "chat_texts": chat_texts(),
    }
    return render(request, "console/imports.html", context)


@require_safe
def import_page(request: ConsoleRequest, slug: str, import_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show what an export holds, what becomes of it, and what was left out."""
    line = selectors.get_import(request.principal, import_id)
    return render(request, "console/imports/import.html", {"console_page": PAGE, "line": line})


@require_POST
@recent_sign_in_required
def check(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Look through an export that was uploaded, or comes with this form."""
    try:
        import_id = imports.start_check(principal=request.principal, file_id=_file(request))
    except DomainError as refused:
        messages.error(request, refused.detail)
        return console_shell.leave_to(request, console_shell.address(request.principal, PAGE))
    return console_shell.leave_to(request, _address(request, import_id))


@require_POST
@recent_sign_in_required
def confirm(request: ConsoleRequest, slug: str, import_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Store it."""
    return console_shell.act(
        request,
        lambda: imports.confirm(
            principal=request.principal, import_id=import_id, fetches_files="fetches_files" in request.POST
        ),
        back=_address(request, import_id),
        said=_("The import has begun"),
    )


@require_POST
def stop(request: ConsoleRequest, slug: str, import_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Stop what is at work."""
    return console_shell.act(
        request,
        lambda: imports.stop(principal=request.principal, import_id=import_id),
        back=_address(request, import_id),
        said=_("The import stops. What was stored stays."),
    )


@require_POST
@recent_sign_in_required
def discard(request: ConsoleRequest, slug: str, import_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Forget an import and delete its archive."""
    return console_shell.act(
        request,
        lambda: imports.discard(principal=request.principal, import_id=import_id),
        back=console_shell.address(request.principal, PAGE),
        said=_("The import is put away"),
    )


@never_cache
@require_safe
def report(request: ConsoleRequest, slug: str, import_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Hand out the rows of the report."""
    return HttpResponse(
        selectors.report_lines(request.principal, import_id),
        content_type="application/x-ndjson",
        headers={
            "Content-Disposition": f'attachment; filename="import-{import_id}.jsonl"',
            "Cache-Control": "private, no-store",
        },
    )


def _file(request: ConsoleRequest) -> UUID:
    """Return the uploaded file: its id from the script's upload, or the small one that came with the form."""
    archive = request.FILES.get("archive")
    if isinstance(archive, UploadedFile) and archive.size:
        return store_file(
            principal=request.principal, name=archive.name or "export.zip", data=archive.read()
        ).id
    try:
        return UUID(request.POST.get("file", ""))
    except ValueError as error:
        raise NoImportFile from error


def _address(request: ConsoleRequest, import_id: UUID) -> str:
    return console_shell.address(request.principal, "import", import_id=import_id)


register_console_page(
    PAGE,
    gettext_lazy("Import"),
    "inbox",
    selectors.RIGHTS[0],
    overview,
    order=67,
    routes=[
        path("check/", check, name="import-check"),
        path("<uuid:import_id>/", import_page, name="import"),
        path("<uuid:import_id>/confirm/", confirm, name="import-confirm"),
        path("<uuid:import_id>/stop/", stop, name="import-stop"),
        path("<uuid:import_id>/discard/", discard, name="import-discard"),
        path("<uuid:import_id>/report/", report, name="import-report"),
    ],
)

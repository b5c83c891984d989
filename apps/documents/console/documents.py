"""The console's page of documents: what was read, which pages were not, and what can be done with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import console_shell
from apps.documents import listing
from apps.documents.console.common import DOCUMENTS, ConsoleRequest
from apps.documents.script_texts import documents_texts


@require_safe
def documents(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the documents the reader sees, with the pages that were read and those that failed."""
    context = {
        **listing.listed(request, request.principal, _frame(request)),
        "console_page": DOCUMENTS,
        "documents_texts": documents_texts(),
    }
    return render(request, "console/documents.html", context)


@require_safe
def failed_pages(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List the pages of a document that could not be read, each with its reason."""
    return listing.failed_pages(request, request.principal, document_id, _frame(request))


@require_POST
def retry(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Try what failed again."""
    return listing.try_again(request, request.principal, document_id, _frame(request))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Show how a document can be renamed and replaced; rename it."""
    return listing.change(request, request.principal, document_id, _frame(request))


@require_POST
def replace(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Begin to read a new version of a document."""
    return listing.replace(request, request.principal, document_id, _frame(request))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say what goes with a document, then delete it: nobody can bring it back."""
    return listing.delete(request, request.principal, document_id, _frame(request))


def _frame(request: ConsoleRequest) -> listing.Frame:
    def address(name: str, **which: Any) -> str:
        return console_shell.address(request.principal, f"document-{name}", **which)

    return listing.Frame(
        home=console_shell.address(request.principal, DOCUMENTS),
        address=address,
        part_page="console/part_page.html",
        page=DOCUMENTS,
    )

"""The console's page of documents: what was read, which pages were not, and trying them again."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import console_shell
from apps.documents.console.common import DOCUMENTS, ConsoleRequest
from apps.documents.selectors import administration
from apps.documents.selectors.documents import get_document, list_page_states
from apps.documents.services.documents import delete_document, retry_document
from apps.documents.types import PageState


@require_safe
def documents(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the documents the reader sees, with the pages that were read and those that failed."""
    state = request.GET.get("state", "")
    asked = {
        "query": request.GET.get("q", "")[:100],
        "state": state if state in administration.FILTERS else "",
    }
    load = partial(
        administration.page_of_documents, request.principal, query=asked["query"], state=asked["state"]
    )
    lines, paging = console_shell.paged(request, lambda offset, limit: load(offset=offset, limit=limit))
    context = {
        "console_page": DOCUMENTS,
        "lines": lines,
        "paging": paging,
        "counts": administration.count_documents(request.principal),
        "is_live": any(line.is_reading for line in lines),
        **asked,
    }
    return render(request, "console/documents.html", context)


@require_safe
def failed_pages(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List the pages of a document that could not be read, each with its reason."""
    document = get_document(principal=request.principal, document_id=document_id)
    pages = [page for page in list_page_states(document_id=document_id) if page.state == PageState.FAILED]
    return console_shell.page_or_dialog(
        request,
        "console/documents/failed_pages.html",
        {"document": document, "pages": pages},
        page=DOCUMENTS,
        title=document.title,
    )


@require_POST
def retry(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Try what failed again."""
    return console_shell.act(
        request,
        lambda: retry_document(principal=request.principal, document_id=document_id),
        back=console_shell.address(request.principal, DOCUMENTS),
        said=_("What failed is tried again"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: ConsoleRequest, slug: str, document_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say what goes with a document, then delete it: nobody can bring it back."""
    document = get_document(principal=request.principal, document_id=document_id)
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request,
            "console/documents/delete.html",
            {"document": document},
            page=DOCUMENTS,
            title=_("Delete this document?"),
        )
    return console_shell.act(
        request,
        lambda: delete_document(principal=request.principal, document_id=document_id),
        back=console_shell.address(request.principal, DOCUMENTS),
        said=_("%(title)s is deleted; search and answers no longer use it") % {"title": document.title},
    )

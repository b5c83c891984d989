"""Documents under `/o/<slug>/`: their list, pictures of their pages, and how far they were read."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.documents import listing
from apps.documents.errors import DocumentNotFound, PageNotFound
from apps.documents.script_texts import documents_texts
from apps.documents.selectors.documents import find_by_file, get_document, list_page_states
from apps.documents.services.documents import retry_document
from apps.documents.services.pictures import WIDTHS, page_picture
from apps.documents.types import DocumentState, PageState
from apps.files.selectors.files import can_open
from apps.files.services.delivery import small_response
from apps.files.services.uploads import MOST_AT_ONCE

MANAGE = "document.manage"


class PageRequest(HttpRequest):
    """A page of somebody in an organization."""

    principal: Principal


@require_safe
def documents(request: PageRequest, slug: str) -> HttpResponse:
    """List the documents the reader may open; who may adds others to the library."""
    principal = request.principal
    context = {
        **listing.listed(request, principal, _frame(slug)),
        "area": "documents",
        "uploads_at_once": MOST_AT_ONCE if access.can(principal, MANAGE) else 0,
        "texts": documents_texts(),
    }
    return render(request, "documents/list.html", context)


@require_safe
def failed_pages(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """List the pages of a document that could not be read, each with its reason."""
    return listing.failed_pages(request, request.principal, document_id, _frame(slug))


@require_POST
def again(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Try what failed again, from the list."""
    return listing.try_again(request, request.principal, document_id, _frame(slug))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Show how a document can be renamed and replaced; rename it."""
    return listing.change(request, request.principal, document_id, _frame(slug))


@require_POST
def replace(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Begin to read a new version of a document."""
    return listing.replace(request, request.principal, document_id, _frame(slug))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PageRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Say what goes with a document, then delete it."""
    return listing.delete(request, request.principal, document_id, _frame(slug))


def _frame(slug: str) -> listing.Frame:
    def address(name: str, **which: Any) -> str:
        return reverse(f"documents:list_{name}", kwargs={"slug": slug, **which})

    home = reverse("documents:list", kwargs={"slug": slug})
    return listing.Frame(home=home, address=address, part_page="documents/part_page.html")


@require_safe
def page_image(request: HttpRequest, slug: str, document_id: UUID, number: int) -> HttpResponse:  # noqa: ARG001
    """Deliver a PDF page as a picture; `?large` for the wide one."""
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    width = WIDTHS[-1] if "large" in request.GET else WIDTHS[0]
    try:
        version = get_document(principal=principal, document_id=document_id).version
        data = page_picture(principal=principal, document_id=document_id, number=number, width=width)
    except (DocumentNotFound, PageNotFound) as error:
        raise Http404 from error
    key = f"{document_id}:{version}:{number}:{width}"
    return small_response(request, data, media_type="image/png", key=key)


MOST_NAMED = 6
MOST_ATTEMPTS = 8
_OPEN = (DocumentState.QUEUED, DocumentState.READING)


@require_http_methods(["GET", "HEAD", "POST"])
def state(request: HttpRequest, slug: str, file_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Return how far a file was read, as a note beside it; the note asks again until the document is settled.

    `?attempt=` counts how often it asked before there was a document: reading begins a moment after the message.
    """
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    found = find_by_file(principal=principal, file_id=file_id)
    if found is None and not can_open(principal, file_id):
        raise Http404
    text = request.GET.get("attempt", "0")
    attempt = int(text) if re.fullmatch("[0-9]{1,3}", text) else 0
    failed = (
        [page for page in list_page_states(document_id=found.id) if page.state == PageState.FAILED]
        if found
        else []
    )
    context = {
        "file_id": file_id,
        "document": found,
        "is_open": found.state in _OPEN if found else attempt < MOST_ATTEMPTS,
        "attempt": 0 if found else attempt + 1,
        "failed": failed[:MOST_NAMED],
        "has_more": len(failed) > MOST_NAMED,
        "settled": found.pages_parsed + found.pages_failed if found else 0,
        "may_retry": found is not None
        and (found.created_by_id == principal.id or bool(access.can(principal, "message.moderate"))),
    }
    return render(request, "documents/parts/state.html", context)


@require_POST
def retry(request: HttpRequest, slug: str, document_id: UUID) -> HttpResponse:
    """Try what failed again, and show how far it is."""
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    retry_document(principal=principal, document_id=document_id)
    return state(request, slug, get_document(principal=principal, document_id=document_id).file_id)

"""What the pages that list documents share: the console's, and the one of everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.documents.selectors import administration
from apps.documents.selectors.administration import DocumentLine
from apps.documents.selectors.documents import get_document, list_page_states
from apps.documents.services.documents import delete_document, retry_document
from apps.documents.types import DocumentKind, PageState

Address = Callable[..., str]  # of a route by its name: `failed`, `retry`, `delete`


@dataclass(frozen=True)
class Row:
    """A document in a list, and where its failed pages are listed, and it is tried again and deleted."""

    line: DocumentLine
    failed_url: str
    retry_url: str
    delete_url: str


@dataclass(frozen=True)
class Frame:
    """Where the pages stand.

    Attributes:
        home: address of the list. address: of what can be done with a document.
        part_page: template of a part that is a page of its own. page: the console's page, if it is one.
    """

    home: str
    address: Address
    part_page: str
    page: str = ""


def listed(request: HttpRequest, principal: Principal, frame: Frame) -> dict[str, Any]:
    """Return the asked page of the documents that the reader sees, as a template needs it. Seven queries."""
    state, place, kind = (request.GET.get(name, "") for name in ("state", "place", "kind"))
    asked: dict[str, Any] = {
        "query": request.GET.get("q", "")[:100],
        "state": state if state in administration.FILTERS else "",
        "place": place if place in administration.PLACES else "",
        "kind": kind if kind in DocumentKind.values else "",
    }

    def load(offset: int, limit: int) -> list[DocumentLine]:
        return administration.page_of_documents(principal, offset=offset, limit=limit, **asked)

    lines, paging = console_shell.paged(request, load)
    return {
        "rows": [_row(line, frame) for line in lines],
        "paging": paging,
        "counts": administration.count_documents(principal),
        "kinds": DocumentKind,
        "is_live": any(line.is_reading for line in lines),
        **asked,
    }


def failed_pages(request: HttpRequest, principal: Principal, document_id: UUID, frame: Frame) -> HttpResponse:
    """List the pages of a document that could not be read, each with its reason."""
    document = get_document(principal=principal, document_id=document_id)
    pages = [page for page in list_page_states(document_id=document_id) if page.state == PageState.FAILED]
    return console_shell.page_or_dialog(
        request,
        "documents/parts/failed_pages.html",
        {"document": document, "pages": pages},
        page=frame.page,
        title=document.title,
        part_page=frame.part_page,
    )


def try_again(request: HttpRequest, principal: Principal, document_id: UUID, frame: Frame) -> HttpResponse:
    """Try what failed again."""
    return console_shell.act(
        request,
        lambda: retry_document(principal=principal, document_id=document_id),
        back=frame.home,
        said=_("What failed is tried again"),
    )


def delete(request: HttpRequest, principal: Principal, document_id: UUID, frame: Frame) -> HttpResponse:
    """Say what goes with a document, then delete it: nobody can bring it back."""
    document = get_document(principal=principal, document_id=document_id)
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request,
            "documents/parts/delete.html",
            {
                "document": document,
                "home": frame.home,
                "delete_url": frame.address("delete", document_id=document_id),
            },
            page=frame.page,
            title=_("Delete this document?"),
            part_page=frame.part_page,
        )
    return console_shell.act(
        request,
        lambda: delete_document(principal=principal, document_id=document_id),
        back=frame.home,
        said=_("%(title)s is deleted; search and answers no longer use it") % {"title": document.title},
    )


def _row(line: DocumentLine, frame: Frame) -> Row:
    urls = [frame.address(name, document_id=line.document.id) for name in ("failed", "retry", "delete")]
    return Row(line, *urls)

"""What the pages that list documents share: the console's, and the one of everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.errors import DomainError, NotFound
from apps.documents.errors import NoFileChosen
from apps.documents.forms import TitleForm
from apps.documents.parsing import sniff
from apps.documents.selectors import administration
from apps.documents.selectors.administration import DocumentLine
from apps.documents.selectors.documents import get_document, list_page_states
from apps.documents.selectors.sources import find_origin
from apps.documents.services.documents import (
    delete_document,
    rename_document,
    replace_document,
    require_replaceable,
    retry_document,
)
from apps.documents.types import DocumentKind, PageState
from apps.files.services.uploads import store_file

Address = Callable[..., str]  # of a route by its name: `failed`, `retry`, `change`, `replace`, `delete`
_ACCEPTED = ",".join(sniff.MEDIA_TYPES)


@dataclass(frozen=True)
class Row:
    """A document in a list, and where its failed pages are listed, and it is tried again, changed and deleted."""

    line: DocumentLine
    failed_url: str
    retry_url: str
    change_url: str
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


def change(request: HttpRequest, principal: Principal, document_id: UUID, frame: Frame) -> HttpResponse:
    """Show how a document can be renamed and replaced, or why not; rename it."""
    document = get_document(principal=principal, document_id=document_id)
    given = request.POST if request.method == "POST" else None
    form = TitleForm(given, initial={"title": document.title})
    if form.is_valid():
        try:
            renamed = rename_document(principal=principal, document_id=document_id, **form.cleaned_data)
        except NotFound:
            raise
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            said = _("It is called %(title)s now") % {"title": renamed.title}
            return console_shell.leave_to(request, frame.home, said=said)
    return console_shell.page_or_dialog(
        request,
        "documents/parts/change.html",
        {
            "document": document,
            "form": form,
            "home": frame.home,
            "change_url": frame.address("change", document_id=document_id),
            "replace_url": frame.address("replace", document_id=document_id),
            "accepted": _ACCEPTED,
            "is_own": document.created_by_id == principal.id,
            "origin": find_origin(organization_id=document.organization_id, document_id=document_id),
        },
        page=frame.page,
        title=_("Rename or replace"),
        status=422 if form.is_bound else 200,
        part_page=frame.part_page,
    )


def replace(request: HttpRequest, principal: Principal, document_id: UUID, frame: Frame) -> HttpResponse:
    """Begin to read a new version of a document."""
    document = get_document(principal=principal, document_id=document_id)

    def begin() -> None:
        require_replaceable(principal=principal, document_id=document_id)  # else nothing of theirs is stored
        replace_document(principal=principal, document_id=document_id, file_id=_file(request, principal))

    return console_shell.act(
        request,
        begin,
        back=frame.home,
        said=_("The new version of %(title)s is being read; until then the one before stays")
        % {"title": document.title},
    )


def _file(request: HttpRequest, principal: Principal) -> UUID:
    """Return the uploaded file: its id from the script's upload, or the small one that came with the form."""
    chosen = request.FILES.get("chosen")
    if isinstance(chosen, UploadedFile) and chosen.size:
        return store_file(principal=principal, name=chosen.name or "", data=chosen.read()).id
    try:
        return UUID(request.POST.get("file", ""))
    except ValueError as error:
        raise NoFileChosen from error


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
    urls = [
        frame.address(name, document_id=line.document.id) for name in ("failed", "retry", "change", "delete")
    ]
    return Row(line, *urls)

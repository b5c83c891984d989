"""What console pages share: links to each other, forms that are pages and dialogs, small actions, pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from apps.core.errors import DomainError, NotFound
from apps.core.registry import console_pages

if TYPE_CHECKING:
    from django.forms import Form

Row = TypeVar("Row")
ROWS = 50
VIEW = "console.view"


class Administrator(Protocol):
    """The part of an acting principal that the shell uses."""

    @property
    def organization_slug(self) -> str: ...
    @property
    def permissions(self) -> Collection[str]: ...


@dataclass(frozen=True)
class ConsoleLink:
    """A page of the console in the reader's organization."""

    slug: str
    title: str
    icon: str
    url: str


@dataclass(frozen=True)
class Paging:
    """Where a reader is in a list of pages."""

    number: int
    has_next: bool

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * ROWS


def may_open(administrator: Administrator, permission: str) -> bool:
    """Return whether the reader may open a console page: the console's right, and the page's own."""
    return {VIEW, permission} <= set(administrator.permissions)


def links(administrator: Administrator) -> tuple[ConsoleLink, ...]:
    """Return the pages the reader may open, in their order."""
    return tuple(
        ConsoleLink(page.slug, str(page.title), page.icon, address(administrator, page.slug))
        for page in console_pages()
        if may_open(administrator, page.permission)
    )


def address(administrator: Administrator, name: str = "", **which: Any) -> str:
    """Return the address of a console page or of one of its routes, by the route's name."""
    name, slug = name or "overview", administrator.organization_slug
    return reverse(f"console:{name}", kwargs={"slug": slug, **which}) if which else page_address(slug, name)


@lru_cache(maxsize=4096)
def page_address(slug: str, name: str) -> str:
    """Return the address of a route of the console that names no thing; each page has dozens of them."""
    return reverse(f"console:{name}", kwargs={"slug": slug})


def page_number(request: HttpRequest) -> int:
    """Return which page of a list is asked for, from 1; what is no number is the first."""
    text = request.GET.get("page", "1")
    return max(1, min(int(text), 100_000)) if text.isascii() and text.isdigit() else 1


def paged(request: HttpRequest, load: Callable[[int, int], list[Row]]) -> tuple[list[Row], Paging]:
    """Return the rows of the asked page; `load(offset, limit)` is called once, for one row more."""
    number = page_number(request)
    rows = load((number - 1) * ROWS, ROWS + 1)
    return rows[:ROWS], Paging(number, len(rows) > ROWS)


def page_or_dialog(
    request: HttpRequest,
    part: str,
    context: dict[str, Any],
    *,
    page: str,
    title: str,
    status: int = 200,
    part_page: str = "console/part_page.html",
) -> HttpResponse:
    """Render a part as the dialog's content for a script, as a page of its own otherwise.

    Args:
        part_page: template of that page.
    """
    context = {**context, "part": part, "title": title, "console_page": page}
    if _is_script(request):
        return render(request, "parts/dialog.html", context, status=status)
    return render(request, part_page, context, status=status)


def form_again(
    request: HttpRequest, part: str, context: dict[str, Any], form: Form, *, page: str, title: str
) -> HttpResponse:
    """Show a form again with what is wrong; scripts swap answers with this status."""
    return page_or_dialog(request, part, {**context, "form": form}, page=page, title=title, status=422)


def leave_to(request: HttpRequest, where: str, *, said: str = "") -> HttpResponse:
    """Go to an address after a form: a redirect, or the header that makes the script go there."""
    if said:
        messages.success(request, said)
    if _is_script(request):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def act(request: HttpRequest, do: Callable[[], object], *, back: str, said: str) -> HttpResponse:
    """Do something and go back with a sentence: what was done, or why it was refused.

    Raises:
        NotFound: passed on, so that what is not there and what is not allowed to be seen look the same.
    """
    try:
        do()
    except NotFound:
        raise
    except DomainError as refused:
        messages.error(request, refused.detail)
        return leave_to(request, back)
    return leave_to(request, back, said=said)


def _is_script(request: HttpRequest) -> bool:
    htmx: Any = getattr(request, "htmx", None)  # django-htmx has no types
    return bool(htmx) and not (htmx.boosted or htmx.history_restore_request)

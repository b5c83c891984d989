"""The console's page of sources: where documents come from by themselves, how it went, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import console_shell
from apps.core.errors import DomainError, NotFound
from apps.documents.connectors.kinds import offered
from apps.documents.console.common import SOURCES, ConsoleRequest
from apps.documents.console.forms import FORMS, SourceForm
from apps.documents.errors import SourceNotFound
from apps.documents.selectors.sources import get_source, list_sources, list_unread
from apps.documents.services.changing import change_source, pause_source
from apps.documents.services.owning import is_administrator, require_administrator
from apps.documents.services.sources import add_source, remove_source
from apps.documents.services.starting import confirm_removal, sync_source
from apps.documents.types import SourceKind, SourceState


@dataclass(frozen=True)
class Choice:
    """A kind of source that can be added, and what it reads."""

    kind: SourceKind
    route: str
    icon: str
    about: Promise

    @property
    def name(self) -> str:
        """Return what it is called."""
        return str(self.kind.label)


_CHOICES: Final = (
    Choice(SourceKind.URL, "source-new-url", "link", gettext_lazy("Pages and files of a web site.")),
    Choice(
        SourceKind.GIT,
        "source-new-git",
        "flow",
        gettext_lazy("Files of a branch or tag, such as from GitLab."),
    ),
    Choice(
        SourceKind.S3,
        "source-new-s3",
        "bucket",
        gettext_lazy("Objects at Amazon, or of a server such as MinIO."),
    ),
    Choice(
        SourceKind.IMAP, "source-new-imap", "at", gettext_lazy("Mails of a folder, and the files in them.")
    ),
    Choice(
        SourceKind.FOLDER, "source-new-folder", "folder", gettext_lazy("Files on the disk of this server.")
    ),
)
_LIVE = (SourceState.SYNCING, SourceState.REMOVING)


@require_safe
def sources(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the sources."""
    rows = list_sources(request.principal)
    context = {
        "console_page": SOURCES,
        "rows": rows,
        "is_live": any(row.state in _LIVE for row in rows),
        "may_change": is_administrator(request.principal),
    }
    return render(request, "console/sources.html", context)


@require_safe
def choose(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Offer the kinds of sources that can be added."""
    require_administrator(request.principal)
    kinds = offered()
    return console_shell.page_or_dialog(
        request,
        "console/sources/choose.html",
        {"choices": [choice for choice in _CHOICES if choice.kind in kinds]},
        page=SOURCES,
        title=_("Add a source"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new_addresses(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add web addresses."""
    return _new(request, SourceKind.URL, route="source-new-url", title=_("Add web addresses"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_folder(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add a folder, where the operator allows folders."""
    if SourceKind.FOLDER not in offered():
        raise SourceNotFound
    return _new(request, SourceKind.FOLDER, route="source-new-folder", title=_("Add a folder"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_git(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add a Git repository."""
    return _new(request, SourceKind.GIT, route="source-new-git", title=_("Add a Git repository"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_bucket(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add an S3 bucket."""
    return _new(request, SourceKind.S3, route="source-new-s3", title=_("Add an S3 bucket"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_mailbox(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add a folder of a mailbox."""
    return _new(request, SourceKind.IMAP, route="source-new-imap", title=_("Add a mailbox"))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Change a source; its documents move with it when they are for others."""
    require_administrator(request.principal)
    source = get_source(request.principal, source_id)
    form_class = FORMS[source.kind]
    return _filled(
        request,
        form_class(request.principal, _given(request), source=source),
        lambda form: change_source(principal=request.principal, source_id=source_id, wanted=form.change()),
        context={"action": console_shell.address(request.principal, "source-change", source_id=source_id)},
        title=_("Change %(name)s") % {"name": source.name},
        said=lambda name: _("%(name)s is changed") % {"name": name},
    )


@require_POST
def sync(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Look at a source now."""
    return console_shell.act(
        request,
        lambda: sync_source(principal=request.principal, source_id=source_id),
        back=console_shell.address(request.principal, SOURCES),
        said=_("The source is looked at now"),
    )


@require_POST
def pause(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Let a source rest, or go on."""
    is_paused = request.POST.get("paused") == "1"
    return console_shell.act(
        request,
        lambda: pause_source(principal=request.principal, source_id=source_id, is_paused=is_paused),
        back=console_shell.address(request.principal, SOURCES),
        said=_("The source rests") if is_paused else _("The source goes on"),
    )


@require_safe
def unread(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """List what of a source could not be read, each with its reason."""
    source = get_source(request.principal, source_id)
    return console_shell.page_or_dialog(
        request,
        "console/sources/unread.html",
        {"source": source, "items": list_unread(source_id)},
        page=SOURCES,
        title=_("Not read: %(name)s") % {"name": source.name},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Say how many documents would go, then let them go."""
    require_administrator(request.principal)
    source = get_source(request.principal, source_id)
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request,
            "console/sources/confirm.html",
            {"source": source},
            page=SOURCES,
            title=_("Remove these documents?"),
        )
    return console_shell.act(
        request,
        lambda: confirm_removal(principal=request.principal, source_id=source_id),
        back=console_shell.address(request.principal, SOURCES),
        said=_("The source is looked at again, and what is still missing is removed"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: ConsoleRequest, slug: str, source_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Ask what becomes of the documents, then forget the source."""
    require_administrator(request.principal)
    source = get_source(request.principal, source_id)
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request,
            "console/sources/remove.html",
            {"source": source},
            page=SOURCES,
            title=_("Remove this source?"),
        )
    with_documents = request.POST.get("documents") == "remove"
    goes = ngettext("its document goes with it", "its documents go with it", source.documents)
    said = _("%(name)s is removed; %(rest)s") % {
        "name": source.name,
        "rest": goes if with_documents else _("what was read stays"),
    }
    return console_shell.act(
        request,
        lambda: remove_source(
            principal=request.principal, source_id=source_id, with_documents=with_documents
        ),
        back=console_shell.address(request.principal, SOURCES),
        said=said,
    )


def _new(request: ConsoleRequest, kind: SourceKind, *, route: str, title: str) -> HttpResponse:
    require_administrator(request.principal)
    return _filled(
        request,
        FORMS[kind](request.principal, _given(request)),
        lambda form: add_source(principal=request.principal, wanted=form.wanted()),
        context={"action": console_shell.address(request.principal, route), "is_new": True},
        title=title,
        said=lambda name: _("%(name)s is added and read now") % {"name": name},
    )


def _given(request: ConsoleRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _filled(
    request: ConsoleRequest,
    form: SourceForm,
    do: Callable[[SourceForm], object],
    *,
    context: dict[str, Any],
    title: str,
    said: Callable[[str], str],
) -> HttpResponse:
    """Show a form of a source, or do what it asks for and say so."""
    part = "console/sources/form.html"
    if request.method != "POST":
        return console_shell.page_or_dialog(
            request, part, {**context, "form": form}, page=SOURCES, title=title
        )
    if form.is_valid():
        try:
            do(form)
        except NotFound:
            raise
        except DomainError as refused:
            form.refuse(refused)
        else:
            where = console_shell.address(request.principal, SOURCES)
            return console_shell.leave_to(request, where, said=said(form.cleaned_data["name"]))
    return console_shell.form_again(request, part, context, form, page=SOURCES, title=title)

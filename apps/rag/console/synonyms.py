"""The console's page of search: which words the organization takes for the same, and whether a model is asked."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.errors import DomainError
from apps.core.registry import register_console_page
from apps.rag.selectors import synonyms as selectors
from apps.rag.selectors.policy import has_other_words
from apps.rag.services import policy, rewriting, synonyms
from apps.rag.types import SET_LANGUAGES

PAGE = "search"
_PART = "console/search/synonyms.html"
_LONGEST = 2_000  # of a form's text: twelve terms, and spaces
_BETWEEN_TERMS = re.compile(r"[\r\n,;]+")


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


class SynonymsForm(forms.Form):
    """A set of terms."""

    terms = forms.CharField(
        label=gettext_lazy("Terms"), max_length=_LONGEST,
        help_text=gettext_lazy("2 to 12 words or short phrases, one a line or with commas between them."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=gettext_lazy("In texts in"), required=False,
        choices=[("", gettext_lazy("All languages")), *SET_LANGUAGES],
    )  # fmt: skip

    def clean_terms(self) -> list[str]:
        """Return the terms."""
        return [term for part in _BETWEEN_TERMS.split(self.cleaned_data["terms"]) if (term := part.strip())]


@require_safe
def synonyms_page(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the sets."""
    words = request.GET.get("q", "")[:200]
    found = selectors.list_synonyms(request.principal, words=words)
    rows, paging = console_shell.paged(request, lambda offset, limit: found[offset : offset + limit])
    context = {
        "console_page": PAGE,
        "query": words,
        "rows": rows,
        "total": len(found),
        "paging": paging,
        "may_have_other_words": rewriting.is_on(),
        "has_other_words": has_other_words(request.principal.organization_id),
    }
    return render(request, "console/search.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Add a set."""
    title = _("New synonyms")
    here = console_shell.address(request.principal, "synonyms-new")
    if request.method != "POST":
        return _shown(request, SynonymsForm(), here=here, title=title)
    form = SynonymsForm(request.POST)
    if form.is_valid():
        try:
            synonyms.add_synonyms(principal=request.principal, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("terms", refused.detail)
        else:
            return _leave(request, _("The synonyms are there"))
    return _shown(request, form, here=here, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: ConsoleRequest, slug: str, set_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Change a set."""
    found = selectors.get_synonyms(request.principal, set_id)
    title = _("Change synonyms")
    here = console_shell.address(request.principal, "synonyms", set_id=set_id)
    if request.method != "POST":
        initial = {"terms": "\n".join(found.terms), "language": found.language}
        return _shown(request, SynonymsForm(initial=initial), here=here, title=title)
    form = SynonymsForm(request.POST)
    if form.is_valid():
        try:
            synonyms.change_synonyms(principal=request.principal, set_id=set_id, **form.cleaned_data)
        except DomainError as refused:
            form.add_error("terms", refused.detail)
        else:
            return _leave(request, _("The synonyms are changed"))
    return _shown(request, form, here=here, title=title)


@require_POST
def remove(request: ConsoleRequest, slug: str, set_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Remove a set."""
    return console_shell.act(
        request,
        lambda: synonyms.remove_synonyms(principal=request.principal, set_id=set_id),
        back=console_shell.address(request.principal, PAGE),
        said=_("The synonyms are gone"),
    )


@require_POST
def switch(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Let weak searches ask the language model for other words, or not."""
    is_on = request.POST.get("other_words") == "1"
    return console_shell.act(
        request,
        lambda: policy.set_other_words(principal=request.principal, is_on=is_on),
        back=console_shell.address(request.principal, PAGE),
        said=_("Weak searches may ask the language model")
        if is_on
        else _("No search asks the language model"),
    )


def _shown(request: ConsoleRequest, form: SynonymsForm, *, here: str, title: str) -> HttpResponse:
    context: dict[str, Any] = {"here": here}
    if form.is_bound:
        return console_shell.form_again(request, _PART, context, form, page=PAGE, title=title)
    return console_shell.page_or_dialog(request, _PART, {**context, "form": form}, page=PAGE, title=title)


def _leave(request: ConsoleRequest, said: str) -> HttpResponse:
    return console_shell.leave_to(request, console_shell.address(request.principal, PAGE), said=said)


register_console_page(
    PAGE,
    gettext_lazy("Search"),
    "search",
    selectors.MANAGE,
    synonyms_page,
    order=55,
    routes=[
        path("other-words/", switch, name="other-words"),
        path("synonyms/new/", new, name="synonyms-new"),
        path("synonyms/<uuid:set_id>/", change, name="synonyms"),
        path("synonyms/<uuid:set_id>/remove/", remove, name="synonyms-remove"),
    ],
)

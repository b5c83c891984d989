"""Ask, read, stop, ask again. A run writes the answer; the page follows it and finds it again after a reload."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.agents import presenting
from apps.agents.errors import AgentNotFound, StillWriting
from apps.agents.script_texts import agents_texts
from apps.agents.selectors import answers as selectors
from apps.agents.services import answers
from apps.agents.types import AnswerState, AnswerView, Outcome, SourceRef
from apps.core.errors import DomainError
from apps.rag.errors import PassageNotFound
from apps.rag.selectors.viewing import passage_address, viewing
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation, OpenedPassage, SourceType

EARLIER = 30  # questions that are listed at once


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal
    htmx: Any  # django-htmx's details


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show the empty question, or take one and go to its answer."""
    access.require(request.principal, "agent.ask")
    question = request.POST.get("question", request.GET.get("q", ""))
    refused = ""
    if request.method == "POST":
        try:
            answer = answers.ask(principal=request.principal, question=question)
        except DomainError as error:
            refused = error.detail
        else:
            return HttpResponseRedirect(address_of(request.principal, answer.id))
    context = {
        **_shared(request),
        "question": question,
        "refused": refused,
    }
    return render(request, "agents/ask.html", context, status=422 if refused else 200)


@require_safe
def answer_page(request: PageRequest, slug: str, answer_id: UUID, number: int | None = None) -> HttpResponse:  # noqa: ARG001
    """Show an answer, as far as it is written; with a number, its source beside it."""
    answer = selectors.get_answer(request.principal, answer_id)
    context = {**_shared(request, current=answer_id), **answer_context(answer)}
    if number is not None:
        context |= _opened(request, answer, number)
    return render(request, "agents/answer.html", context)


@require_safe
def fragment(request: PageRequest, slug: str, answer_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Return the answer alone, for the script that followed its writing."""
    answer = selectors.get_answer(request.principal, answer_id)
    return render(request, "agents/parts/answer.html", answer_context(answer))


@require_safe
def source(request: PageRequest, slug: str, answer_id: UUID, number: int) -> HttpResponse:
    """Open a source at its passage: as the panel for a script, beside its answer otherwise."""
    if not request.htmx or request.htmx.history_restore_request:
        return answer_page(request, slug, answer_id, number)
    answer = selectors.get_answer(request.principal, answer_id)
    return render(
        request, "agents/parts/source_panel.html", {"answer": answer, **_opened(request, answer, number)}
    )


@require_POST
def stop(request: PageRequest, slug: str, answer_id: UUID) -> HttpResponse:  # noqa: ARG001
    """End the writing; what is written stays."""
    answers.stop(principal=request.principal, answer_id=answer_id)
    return _back(request, answer_id)


@require_POST
def again(request: PageRequest, slug: str, answer_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Answer the same question once more; the old answer is kept."""
    try:
        answer = answers.regenerate(principal=request.principal, answer_id=answer_id)
    except (AgentNotFound, StillWriting) as refused:
        messages.error(request, refused.detail)
        return _back(request, answer_id)
    return HttpResponseRedirect(address_of(request.principal, answer.id))


def address_of(principal: Principal, answer_id: UUID) -> str:
    """Return the address of an answer."""
    return reverse("agents:answer", kwargs={"slug": principal.organization_slug, "answer_id": answer_id})


def answer_context(answer: AnswerView) -> dict[str, Any]:
    """Return an answer in sentences, with its sources."""
    used = [one for one in answer.sources if one.used]
    parts = presenting.paragraphs(answer.body, presenting.numbers_of(used), answer.claims)
    is_written = answer.outcome in (Outcome.MODEL, Outcome.EXCERPT) or answer.state == AnswerState.STOPPED
    return {
        "answer": answer,
        "paragraphs": parts if is_written and not answer.is_withheld else [],
        "support": presenting.support(parts),
        "sources": answer.sources,
        "is_found": answer.outcome != Outcome.NOTHING,
    }


def _shared(request: PageRequest, *, current: UUID | None = None) -> dict[str, Any]:
    earlier = selectors.list_own(
        request.principal, limit=EARLIER + 1, before=_uuid(request.GET.get("earlier", ""))
    )
    return {
        "area": "ask",
        "texts": agents_texts(),
        "earlier": earlier[:EARLIER],
        "is_older": "earlier" in request.GET and bool(request.htmx),
        "older_url": f"?earlier={earlier[EARLIER - 1].id}" if len(earlier) > EARLIER else "",
        "current": current,
        "assistant": _assistant(request.principal),
    }


def _opened(request: PageRequest, answer: AnswerView, number: int) -> dict[str, Any]:
    cited = next((one for one in answer.sources if one.number == number), None)
    if cited is None:
        raise PassageNotFound
    opened = open_citation(principal=request.principal, citation=Citation.from_json(cited.citation))
    as_text = request.GET.get("view") == "text"
    base = reverse(
        "agents:source",
        kwargs={"slug": request.principal.organization_slug, "answer_id": answer.id, "number": number},
    )
    place = list(answer.sources).index(cited)
    return {
        **viewing(request.principal, opened, as_text=as_text),
        "cited": cited,
        "page_url": base,
        "text_url": f"{base}?view=text",
        "previous_url": _source_url(request, answer, answer.sources[place - 1]) if place else "",
        "next_url": _source_url(request, answer, answer.sources[place + 1])
        if place + 1 < len(answer.sources)
        else "",
        "place": place + 1,
        "open_url": _open_url(request.principal, opened),
    }


def _source_url(request: PageRequest, answer: AnswerView, cited: SourceRef) -> str:
    kwargs = {"slug": request.principal.organization_slug, "answer_id": answer.id, "number": cited.number}
    return reverse("agents:source", kwargs=kwargs)


def _open_url(principal: Principal, opened: OpenedPassage) -> str:
    slug = principal.organization_slug
    if opened.source_type == SourceType.DOCUMENT:
        quote = opened.text[opened.span.start : opened.span.end]
        return passage_address(slug, opened.source, page=opened.page, span=opened.span, text=quote)
    if opened.conversation is None:
        return ""
    kwargs = {"slug": slug, "conversation_id": opened.conversation, "message_id": opened.source}
    return reverse("chat:message", kwargs=kwargs)


def _assistant(principal: Principal) -> str:
    try:
        return selectors.default_agent(principal).name
    except AgentNotFound:
        return ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _back(request: PageRequest, answer_id: UUID) -> HttpResponse:
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    return HttpResponseRedirect(address_of(request.principal, answer_id))

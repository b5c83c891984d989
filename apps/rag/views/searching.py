"""The search page: words, phrases and filters in one line; each hit says why it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.errors import SearchNotUnderstood
from apps.chat.selectors import conversations
from apps.chat.selectors.search.grammar import clean
from apps.chat.selectors.search.operators import HAS, IS, OPERATORS
from apps.chat.selectors.search.spoken import offers
from apps.chat.selectors.search.understanding import read_query
from apps.chat.types import SearchProblem
from apps.core.errors import DomainError
from apps.core.http.afterwards import after_answer
from apps.documents.selectors.documents import MOST_COUNTED
from apps.rag.selectors.agreement import with_offer
from apps.rag.selectors.search import Order, documents_being_read, search
from apps.rag.selectors.suggestions import unsealed
from apps.rag.services import rewriting
from apps.rag.services.traces import keep_trace
from apps.rag.text.folding import key_of
from apps.rag.text.marks import mark_of
from apps.rag.text.query import parse
from apps.rag.types import (
    LONGEST_SYNONYM,
    Chip,
    Expansion,
    ExpansionKind,
    Filters,
    SearchOrigin,
    SearchResult,
    SourceType,
)
from apps.rag.views.showing import shown_hits

PAGE = 10
DRAFT = "Search-Draft"  # the page sends it along with a text that is still being written
_MOST_PLAIN = 32


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal


@dataclass(frozen=True)
class RemovableChip:
    """A filter as it was understood, and the address without it."""

    chip: Chip
    label: str
    url: str


@dataclass(frozen=True)
class SynonymChip:
    """A synonym, and the address of the search without it, or with it again."""

    expansion: Expansion
    url: str


@dataclass(frozen=True)
class Offer:
    """Operators or a word that a search can have, too, and its address with them."""

    label: str
    url: str


@dataclass(frozen=True)
class Correction:
    """Another text for a part that was not understood, and the address of the search with it."""

    text: str
    url: str


@dataclass(frozen=True)
class ShownProblem:
    """A part that was not understood, in its surroundings, and what could be meant."""

    sentence: str
    before: str
    part: str
    after: str
    corrections: tuple[Correction, ...]


@require_safe
@vary_on_headers("HX-Request")
def search_page(request: PageRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show what fits the query and the reader may open."""
    access.require(request.principal, "search.use")
    query, asked = clean(request.GET.get("q", "")), filters_of(request)
    context = {
        "area": "search",
        "query": query,
        "order": _order(request),
        "types": [(kind.value, kind.label, kind in asked.sources) for kind in SourceType],
        **_narrowed_to(request, asked),
        "ask_url": _ask_url(request.principal, query),
        "help": _help(get_language() or ""),
    }
    if not query.strip():
        return render(request, "rag/search.html", context)
    try:
        result = search(
            principal=request.principal,
            query=query,
            filters=asked,
            limit=PAGE,
            cursor=request.GET.get("cursor", ""),
            order=_order(request),
            plain=plain_of(request),
            suggested=unsealed(request.principal.organization_id, query, request.GET.get("words", "")),
            related=related_of(request),
        )
        if _order(request) == "best":
            result = with_offer(request.principal, query, result)
    except SearchNotUnderstood as refused:
        problems = [_shown_problem(request, query, problem) for problem in refused.problems]
        return render(request, "rag/search.html", {**context, "problems": problems}, status=422)
    except DomainError as refused:
        return render(request, "rag/search.html", {**context, "refused": refused.detail}, status=422)
    response = render(request, "rag/search.html", {**context, **_found(request, result, query)})
    after_answer(
        response,
        lambda: keep_trace(
            principal=request.principal,
            origin=SearchOrigin.PAGE,
            query=query,
            result=result,
            is_finished=DRAFT not in request.headers,
        ),
    )
    return response


@lru_cache(maxsize=8)
def _help(_language: str) -> SafeString:
    """Return what can be written in a query: the same for everybody who reads a language."""
    operators = [operator for operator in OPERATORS if operator.name not in ("has", "is")]
    choices = {"has": HAS.entries.values(), "is": IS.entries.values()}
    return render_to_string("rag/parts/operators.html", {"operators": operators, "choices": choices})


def _found(request: PageRequest, result: SearchResult, query: str) -> dict[str, object]:
    being_read = documents_being_read(request.principal, result)
    added = [one.term for one in result.expanded_by(ExpansionKind.RELATED)]
    return {
        "result": result,
        "finished_url": f"{request.path}{result.id}/finished/" if DRAFT in request.headers else "",
        "being_read": being_read,
        "is_reading_many": being_read >= MOST_COUNTED,
        "seconds": result.took_ms / 1000,
        "hits": shown_hits(request.principal, result, path=request.path),
        "chips": [
            RemovableChip(chip, _chip_label(chip), _without(request, query, chip)) for chip in result.chips
        ],
        "synonyms": [SynonymChip(one, _switched(request, one)) for one in result.expanded],
        "added": added,
        "mark": _mark(query),
        "is_more": "cursor" in request.GET and bool(getattr(request, "htmx", False)),
        "only_messages": result.is_list and result.filters.sources == (SourceType.DOCUMENT,),
        "offered": [Offer(word, _with_related(request, [*added, word])) for word in result.related],
        "words": request.GET.get("words", "") if result.expanded_by(ExpansionKind.SUGGESTED) else "",
        "narrower": _narrower(request, query),
        "other_words_url": _other_words_url(request, result, query),
        "more_url": _address(request, cursor=result.next_cursor) if result.next_cursor else "",
        "best_url": _address(request, order="best"),
        "newest_url": _address(request, order="newest"),
    }


def _chip_label(chip: Chip) -> str:
    label = str(OPERATORS[chip.kind].chip) % {"name": chip.label}
    return _("Not: %(filter)s") % {"filter": label} if chip.is_negated else label


def _without(request: PageRequest, query: str, chip: Chip) -> str:
    return _address(request, q=" ".join(f"{query[: chip.start]} {query[chip.end :]}".split()))


def filters_of(request: HttpRequest) -> Filters:
    """Return what the address narrows beside the operators of the query."""
    kinds = request.GET.getlist("type")
    conversation = _uuid(request.GET.get("conversation", ""))
    return Filters(
        sources=tuple(kind for kind in SourceType if kind.value in kinds),
        conversations=(conversation,) if conversation else (),
    )


def _narrowed_to(request: PageRequest, asked: Filters) -> dict[str, object]:
    """Return the one conversation of the address, its name for who sees it, and the address of a search everywhere."""
    if not asked.conversations:
        return {}
    (conversation,) = asked.conversations
    values = request.GET.copy()
    for name in ("cursor", "conversation"):
        values.pop(name, None)
    called = conversations.names(request.principal, {conversation}).get(conversation)
    return {
        "conversation": conversation,
        "conversation_label": str(OPERATORS["in"].chip) % {"name": called} if called else "",
        "everywhere_url": f"{request.path}?{values.urlencode()}",
    }


def _order(request: HttpRequest) -> Order:
    return "newest" if request.GET.get("order") == "newest" else "best"


def _other_words_url(request: PageRequest, result: SearchResult, query: str) -> str:
    """Return where a language model is asked for other words; empty where the hits need none, or there is no model."""
    if _order(request) != "best" or not rewriting.can_help(request.principal, query, result):
        return ""
    where = reverse("rag:other_words", kwargs={"slug": request.principal.organization_slug})
    return f"{where}?{request.GET.urlencode()}"


def _narrower(request: PageRequest, query: str) -> list[Offer]:
    found = [] if "cursor" in request.GET else offers(request.principal, read_query(query))
    return [Offer(one.label, _address(request, q=one.instead(query))) for one in found]


def plain_of(request: HttpRequest) -> list[str]:
    """Return the synonyms that the address leaves out."""
    return [term[:LONGEST_SYNONYM] for term in request.GET.getlist("plain")[:_MOST_PLAIN]]


def related_of(request: HttpRequest) -> list[str]:
    """Return the words that the address adds; none where they were added to another text."""
    is_of_this = request.GET.get("of") in (None, _mark(clean(request.GET.get("q", ""))))
    return request.GET.getlist("related")[:_MOST_PLAIN] if is_of_this else []


def _mark(query: str) -> str:
    """Return what the field sends along with added words, so that another text is searched without them."""
    return mark_of(" ".join(query.split()))


def _with_related(request: HttpRequest, words: Sequence[str]) -> str:
    """Return the address with these related words."""
    values = request.GET.copy()
    for name in ("cursor", "of"):
        values.pop(name, None)
    values.setlist("related", words)
    return f"{request.path}?{values.urlencode()}"


def _switched(request: HttpRequest, expansion: Expansion) -> str:
    """Return the address without an expansion, or with it again."""

    def others(terms: Sequence[str]) -> list[str]:
        return [term for term in terms if key_of(term) != key_of(expansion.term)]

    if expansion.kind == ExpansionKind.RELATED:
        return _with_related(request, others(related_of(request)))
    values = request.GET.copy()
    values.pop("cursor", None)
    plain = others(plain_of(request))
    values.setlist("plain", [*plain, expansion.term] if expansion.is_used else plain)
    return f"{request.path}?{values.urlencode()}"


def _shown_problem(request: PageRequest, query: str, problem: SearchProblem) -> ShownProblem:
    before, after = query[: problem.start], query[problem.end :]
    return ShownProblem(
        sentence=SearchNotUnderstood.sentence(replace(problem, suggestions=())),
        before=before,
        part=problem.text,
        after=after,
        corrections=tuple(
            Correction(text, _address(request, q=f"{before}{text}{after}")) for text in problem.suggestions
        ),
    )


def _address(request: PageRequest, **changed: str) -> str:
    values = request.GET.copy()
    values.pop("cursor", None)
    if "q" in changed:
        values.pop("words", None)  # they belong to another text
        values.setlist(
            "related", related_of(request)
        )  # the reader chose them, and changes a part of the text
        values.pop("of", None)
    for name, value in changed.items():
        values[name] = value
    return f"{request.path}?{values.urlencode()}"


def _ask_url(principal: Principal, query: str) -> str:
    if not access.can(principal, "agent.ask"):
        return ""
    try:
        address = reverse("agents:ask", kwargs={"slug": principal.organization_slug})
    except NoReverseMatch:
        return ""
    question = parse(query).text  # operators ask nothing
    return f"{address}?{urlencode({'q': question})}" if question else address


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

"""The search page: words, phrases and filters in one line; each hit says why it is there."""

from __future__ import annotations

import re
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
from apps.chat.selectors.search.grammar import clean
from apps.chat.selectors.search.operators import HAS, IS, OPERATORS
from apps.chat.types import SearchProblem
from apps.core.errors import DomainError
from apps.documents.selectors.documents import MOST_COUNTED
from apps.rag.selectors.search import Order, documents_being_read, search
from apps.rag.types import Chip, Filters, Hit, SearchResult, SourceType, Span

PAGE = 10
_MARKS = re.compile(r"\*\*|__|`+|~~|^#+ |\|[-:| ]+\|", re.MULTILINE)


class PageRequest(HttpRequest):
    """A request under `/o/<slug>/`: the middleware found who reads."""

    principal: Principal


@dataclass(frozen=True)
class Piece:
    """A part of a snippet, marked or not. Plain text."""

    text: str
    is_mark: bool


@dataclass(frozen=True, kw_only=True)
class ShownHit:
    """A hit with its address and its text in pieces."""

    hit: Hit
    url: str
    pieces: tuple[Piece, ...]
    meaning_percent: int | None

    @property
    def is_message(self) -> bool:
        """Return whether a face stands beside it."""
        return self.hit.source_type == SourceType.MESSAGE


@dataclass(frozen=True)
class RemovableChip:
    """A filter as it was understood, and the address without it."""

    chip: Chip
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
    query = clean(request.GET.get("q", ""))
    order: Order = "newest" if request.GET.get("order") == "newest" else "best"
    types = [kind for kind in SourceType if kind.value in request.GET.getlist("type")]
    conversation = _uuid(request.GET.get("conversation", ""))
    context = {
        "area": "search",
        "query": query,
        "order": order,
        "types": [(kind.value, kind.label, kind in types) for kind in SourceType],
        "conversation": conversation,
        "ask_url": _ask_url(request.principal, query),
        "help": _help(get_language() or ""),
    }
    if not query.strip():
        return render(request, "rag/search.html", context)
    try:
        result = search(
            principal=request.principal,
            query=query,
            filters=Filters(sources=tuple(types), conversations=(conversation,) if conversation else ()),
            limit=PAGE,
            cursor=request.GET.get("cursor", ""),
            order=order,
        )
    except SearchNotUnderstood as refused:
        problems = [_shown_problem(request, query, problem) for problem in refused.problems]
        return render(request, "rag/search.html", {**context, "problems": problems}, status=422)
    except DomainError as refused:
        return render(request, "rag/search.html", {**context, "refused": refused.detail}, status=422)
    return render(request, "rag/search.html", {**context, **_found(request, result, query)})


@lru_cache(maxsize=8)
def _help(_language: str) -> SafeString:
    """Return what can be written in a query: the same for everybody who reads a language."""
    operators = [operator for operator in OPERATORS if operator.name not in ("has", "is")]
    choices = {"has": HAS.entries.values(), "is": IS.entries.values()}
    return render_to_string("rag/parts/operators.html", {"operators": operators, "choices": choices})


def _found(request: PageRequest, result: SearchResult, query: str) -> dict[str, object]:
    being_read = documents_being_read(request.principal, result)
    return {
        "result": result,
        "being_read": being_read,
        "is_reading_many": being_read >= MOST_COUNTED,
        "seconds": result.took_ms / 1000,
        "hits": [_shown(request.principal, hit) for hit in result.hits],
        "chips": [
            RemovableChip(chip, _chip_label(chip), _without(request, query, chip)) for chip in result.chips
        ],
        "more_url": _address(request, cursor=result.next_cursor) if result.next_cursor else "",
        "best_url": _address(request, order="best"),
        "newest_url": _address(request, order="newest"),
    }


def _shown(principal: Principal, hit: Hit) -> ShownHit:
    is_message = hit.source_type == SourceType.MESSAGE
    meaning = None if hit.meaning_score is None else round(100 * max(0.0, hit.meaning_score))
    return ShownHit(
        hit=hit,
        url=hit_address(principal, hit),
        pieces=_readable(pieces(hit.snippet, hit.highlights))
        if is_message
        else pieces(hit.snippet, hit.highlights),
        meaning_percent=meaning,
    )


def pieces(text: str, marks: Sequence[Span]) -> tuple[Piece, ...]:
    """Cut a text at its marks; marks do not overlap and are in order."""
    found: list[Piece] = []
    place = 0
    for mark in marks:
        if mark.start > place:
            found.append(Piece(text[place : mark.start], is_mark=False))
        found.append(Piece(text[mark.start : mark.end], is_mark=True))
        place = mark.end
    if place < len(text):
        found.append(Piece(text[place:], is_mark=False))
    return tuple(found)


def _readable(parts: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Leave out the marks of Markdown that messages are written in; the words are what counts here."""
    return tuple(Piece(_MARKS.sub("", part.text), part.is_mark) for part in parts)


def hit_address(principal: Principal, hit: Hit) -> str:
    """Return where a hit opens: a message in its conversation, a passage of a document."""
    slug = principal.organization_slug
    if hit.source_type == SourceType.MESSAGE and hit.conversation:
        first = hit.messages[0].message if hit.messages else hit.source
        kwargs = {"slug": slug, "conversation_id": hit.conversation, "message_id": first}
        return reverse("chat:message", kwargs=kwargs)
    place = urlencode({"page": hit.page or 1, "start": hit.span.start, "end": hit.span.end})
    return f"{reverse('rag:passage', kwargs={'slug': slug, 'document_id': hit.source})}?{place}"


def _chip_label(chip: Chip) -> str:
    label = str(OPERATORS[chip.kind].chip) % {"name": chip.label}
    return _("Not: %(filter)s") % {"filter": label} if chip.is_negated else label


def _without(request: PageRequest, query: str, chip: Chip) -> str:
    return _address(request, q=" ".join(f"{query[: chip.start]} {query[chip.end :]}".split()))


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
    return f"{address}?{urlencode({'q': query})}" if query else address


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

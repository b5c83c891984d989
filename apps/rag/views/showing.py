"""Hits as pages show them: each snippet with its marks, where it leads, and why it is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from django.utils.safestring import SafeString, mark_safe

from apps.accounts.types import Principal
from apps.documents.selectors.documents import find_names
from apps.rag.selectors.viewing import hit_address
from apps.rag.types import Hit, SearchResult, SourceType, Span

_SPOKEN = frozenset({"de", "en"})
SIGNS = re.compile(
    r"\*\*|__|`+|~~|^#+ |^ *\|[-:| ]+\| *$|^ *\||\| *$", re.MULTILINE
)  # of Markdown; of a table's row its ends


@dataclass(frozen=True, kw_only=True)
class ShownHit:
    """A hit as the page shows it.

    Attributes:
        text: the snippet with its marks.
        is_message: a face stands beside it.
        language: of the text; empty where the page can't say it.
        why_url: of the page that explains it; empty where the search is not kept.
        is_good: what the searcher said about it; None is nothing.
        file_name: of a document, where a name of files was asked for.
    """

    hit: Hit
    url: str
    text: SafeString
    meaning_percent: int | None
    is_message: bool
    language: str
    why_url: str = ""
    is_good: bool | None = None
    file_name: str = ""


def shown_hits(principal: Principal, result: SearchResult, *, path: str) -> list[ShownHit]:
    """Return the hits of a page of a search; with the names of their files where such names were asked for.

    Args:
        path: of the search, below which each is explained. At most one query.
    """
    shown = [
        shown_hit(principal, hit, why_url=f"{path}{result.id}/hits/{number}/")
        for number, hit in enumerate(result.hits, 1)
    ]
    if not any(chip.kind == "file" for chip in result.chips):
        return shown
    names = find_names(
        organization_id=principal.organization_id,
        document_ids=[one.hit.source for one in shown if not one.is_message],
    )
    return [replace(one, file_name=names.get(one.hit.source, "")) for one in shown]


def shown_hit(principal: Principal, hit: Hit, *, why_url: str = "", is_good: bool | None = None) -> ShownHit:
    """Return a hit as a page shows it; who looks at pages as somebody else leaves no search to be explained."""
    is_message = hit.source_type == SourceType.MESSAGE
    meaning = None if hit.meaning_score is None else round(100 * max(0.0, hit.meaning_score))
    return ShownHit(
        hit=hit,
        url=hit_address(principal, hit),
        text=marked(hit.snippet, hit.highlights, without=SIGNS if is_message else None),
        meaning_percent=meaning,
        is_message=is_message,
        language=hit.language if hit.language in _SPOKEN else "",
        why_url="" if principal.viewed_by else why_url,
        is_good=is_good,
    )


def marked(text: str, marks: Sequence[Span], *, without: re.Pattern[str] | None = None) -> SafeString:
    """Return a text, escaped, with its marks; they do not overlap and are in order.

    Args:
        without: what is left out, such as the signs of Markdown that messages are written in.
    """
    letters = list(text)
    for sign in without.finditer(text) if without is not None else ():
        letters[sign.start() : sign.end()] = [""] * (sign.end() - sign.start())

    def shown(start: int, end: int) -> str:
        return escape("".join(letters[start:end]))

    found: list[str] = []
    place = 0
    for mark in marks:
        found += shown(place, mark.start), "<mark>", shown(mark.start, mark.end), "</mark>"
        place = mark.end
    found.append(shown(place, len(text)))
    return mark_safe("".join(found))  # noqa: S308 - each part is escaped

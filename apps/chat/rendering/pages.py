"""What a web page says about itself, for the card below a link. Nothing of the page is kept but three short texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

LONGEST_READ = 300_000  # characters; what a page says about itself stands at its beginning
_LIMITS = {"title": 200, "description": 400, "site": 100}
_NAMES = {
    "og:title": "title", "twitter:title": "title", "og:description": "description", "description": "description",
    "og:site_name": "site",
}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class PageSummary:
    """Title, description and name of a page; empty where it says nothing."""

    title: str = ""
    description: str = ""
    site: str = ""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self.title: list[str] = []
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._is_title = not self.title
        if tag != "meta":
            return
        given = {name: value or "" for name, value in attrs}
        name = _NAMES.get((given.get("property") or given.get("name") or "").lower())
        if name and given.get("content", "").strip():
            self.found.setdefault(name, given["content"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._is_title = False

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.title.append(data)


def summary_of(html: str) -> PageSummary:
    """Return what an HTML page says about itself, as plain short texts."""
    head = _Head()
    head.feed(html[:LONGEST_READ])
    found = {"title": "".join(head.title), **head.found}
    return PageSummary(**{name: _short(found.get(name, ""), limit) for name, limit in _LIMITS.items()})


def _short(text: str, limit: int) -> str:
    cleaned = " ".join(_CONTROL.sub(" ", text).split())
    return cleaned if len(cleaned) <= limit else f"{cleaned[: limit - 1].rstrip()}…"

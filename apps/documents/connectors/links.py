"""Where a web page leads to: links of the same host, one level deep."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.urls import Target, read
from apps.documents.parsing import sniff

MOST_CHARACTERS: Final = 2_000_000
_PAGES: Final = frozenset({"", ".php", ".asp", ".aspx", ".jsp", ".xhtml"})


def links_of(page: str, *, address: str) -> Iterator[str]:
    """Yield the addresses of the same host that a page links to and that may be documents, each once.

    Args:
        address: of the page, after redirects.
    """
    reader = _Links()
    reader.feed(page[:MOST_CHARACTERS])
    here = read(address)
    base = urljoin(address, reader.base) if reader.base else address
    seen = {here.url}
    for link in reader.links:
        target = _target(base, link)
        if target is None or target.origin != here.origin or target.url in seen:
            continue
        if PurePosixPath(urlsplit(target.url).path).suffix.lower() in _PAGES | sniff.MEDIA_TYPES.keys():
            seen.add(target.url)
            yield target.url


def _target(base: str, link: str) -> Target | None:
    try:
        return read(urldefrag(urljoin(base, link.strip())).url)
    except (AddressNotAllowed, ValueError):  # mailto, javascript, unbalanced brackets
        return None


class _Links(HTMLParser):
    """Collects the links of a page, but not those its author asks robots not to follow."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, or what all links begin at."""
        values = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = values.get("href", "")
        elif tag == "a" and values.get("href") and "nofollow" not in values.get("rel", "").lower().split():
            self.links.append(values["href"])

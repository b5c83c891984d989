"""What higher apps announce to lower ones, so that no arrow points upwards: cards, console pages, routes.

An app announces cards in its `cards.py` and console pages in its `console.py`, both loaded at start-up. Routes need no
announcement: `api/urls.py` of an app lies under `/api/v1/`, the `urlpatterns` of its `urls.py` under `/o/<slug>/` and
the `root_urlpatterns` there at the top. The registries of routes are for code that is no app of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

View = Callable[..., HttpResponseBase] | Callable[..., Awaitable[HttpResponseBase]]
Route = URLPattern | URLResolver
Build = Callable[[Any, Mapping[str, Any]], Mapping[str, Any] | None]
Entry = TypeVar("Entry")


class AlreadyRegistered(ValueError):
    """Two apps announce the same name: a programming error."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A typed payload of a message, owned and rendered by a higher app.

    Attributes:
        type: stable, `app.name`; a message carries `{"type", "id", "data"}`.
        template: gets what `build` returned.
        build: turns (viewer, stored card) into the template's context, or None where the viewer sees no card.
    """

    type: str
    template: str
    build: Build


@dataclass(frozen=True, kw_only=True)
class ConsolePage:
    """A page of the console.

    Attributes:
        slug: its address under `/console/`.
        icon: a symbol of `static/icons.svg`.
        permission: who sees and opens it.
        view: answers its address.
        routes: more addresses below the page's own, as `path()` makes them.
        order: from the top; ties by slug.
    """

    slug: str
    title: str | _StrPromise
    icon: str
    permission: str
    view: View
    routes: Sequence[Route] = ()
    order: int = 50


class Routes:
    """Routes of one place, in the order of their registration."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def register(self, urls: str | Sequence[Route], *, prefix: str = "") -> None:
        """Add the routes of a module or a list below a prefix, which ends in a slash or is empty."""
        self._routes.append(path(prefix, include(urls)))

    def all(self) -> list[Route]:
        """Return the routes for an `include`."""
        return list(self._routes)


pages = Routes()
api_routes = Routes()
_cards: dict[str, Card] = {}
_console: dict[str, ConsolePage] = {}


def register_card(type: str, template: str, build: Build) -> None:  # noqa: A002 - the word of the payload
    """Announce a card type.

    Raises:
        AlreadyRegistered.
    """
    _add(_cards, type, Card(type=type, template=template, build=build))


def find_card(type: str) -> Card | None:  # noqa: A002 - the word of the payload
    """Return a card type, or None when the app that owned it is gone."""
    return _cards.get(type)


def register_console_page(
    slug: str,
    title: str | _StrPromise,
    icon: str,
    permission: str,
    view: View,
    *,
    order: int = 50,
    routes: Sequence[Route] = (),
) -> None:
    """Announce a console page.

    Raises:
        AlreadyRegistered.
    """
    page = ConsolePage(
        slug=slug, title=title, icon=icon, permission=permission, view=view, routes=routes, order=order
    )
    _add(_console, slug, page)


def console_pages() -> list[ConsolePage]:
    """Return all console pages in their order."""
    return sorted(_console.values(), key=lambda page: (page.order, page.slug))


def _add(entries: dict[str, Entry], name: str, entry: Entry) -> None:
    if entries.setdefault(name, entry) != entry:
        raise AlreadyRegistered(name)

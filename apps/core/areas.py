"""The areas of the product in rail and tab bar. An app that has pages registers its own; nothing is listed here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, kw_only=True)
class Area:
    """A place in the rail.

    Attributes:
        key: what a page names as its `area`, so that the rail shows where the reader is.
        icon: a symbol of `static/icons.svg`.
        url_name: takes the organization's slug as `slug`, or nothing where `by_organization` is False.
        permission: who sees it; empty for everyone.
        position: from the top; ties by key.
        in_tabbar: also on phones, where five fit.
    """

    key: str
    label: str | _StrPromise
    icon: str
    url_name: str
    permission: str = ""
    position: int = 50
    by_organization: bool = True
    in_tabbar: bool = True


@dataclass(frozen=True)
class AreaLink:
    """An area with its address in one organization."""

    key: str
    label: str
    icon: str
    url: str
    in_tabbar: bool


_areas: dict[str, Area] = {}


def register(area: Area) -> None:
    """Add an area; registering the same key again replaces it."""
    _areas[area.key] = area


def links(*, slug: str, permissions: Collection[str]) -> tuple[AreaLink, ...]:
    """Return the areas a principal may open, in their order. An area whose address is not routed is left out."""
    found = []
    for area in sorted(_areas.values(), key=lambda item: (item.position, item.key)):
        if area.permission and area.permission not in permissions:
            continue
        try:
            url = reverse(area.url_name, kwargs={"slug": slug} if area.by_organization else None)
        except NoReverseMatch:
            continue
        found.append(AreaLink(area.key, str(area.label), area.icon, url, area.in_tabbar))
    return tuple(found)

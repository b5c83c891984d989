"""What the shell itself has to jump to: the areas of the rail and the pages of the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import areas, console_shell, palette
from apps.core.palette import Target


def announce() -> None:
    """Register the source, at start-up."""
    palette.register("pages", gettext_lazy("Pages"), _pages, order=30)


def _pages(principal: Any, typed: str) -> Iterator[Target]:  # noqa: ARG001 - few enough to return all
    for area in areas.links(slug=principal.organization_slug, permissions=principal.permissions):
        yield Target(label=area.label, url=area.url, icon=area.icon)
    if console_shell.VIEW in principal.permissions:
        for page in console_shell.links(principal):
            yield Target(label=page.title, url=page.url, icon=page.icon, note=_("Console"))

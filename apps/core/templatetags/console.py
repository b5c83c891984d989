"""Parts of the console that every app's pages use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.utils import formats
from django.utils.translation import get_language, gettext, ngettext

from apps.core import console_shell
from apps.core.console_shell import ConsoleLink
from apps.core.script_texts import plural

register = template.Library()


@register.simple_tag(takes_context=True)
def console_links(context: template.Context) -> tuple[ConsoleLink, ...]:
    """Return the pages of the console the reader may open. No query."""
    principal: Any = getattr(context.get("request"), "principal", None)
    if principal is None:
        return ()
    return _links(principal.organization_slug, frozenset(principal.permissions), get_language())


@dataclass(frozen=True)
class _Rights:
    """What decides which pages of the console somebody may open."""

    organization_slug: str
    permissions: frozenset[str]


@lru_cache(maxsize=256)
def _links(slug: str, permissions: frozenset[str], _language: str | None) -> tuple[ConsoleLink, ...]:
    return console_shell.links(_Rights(slug, permissions))


@register.simple_tag(takes_context=True)
def console_url(context: template.Context, name: str, **which: Any) -> str:
    """Return the address of a console page or of one of its routes, in the reader's organization."""
    return console_shell.address(context["request"].principal, name, **which)


@register.simple_tag(takes_context=True)
def console_may(context: template.Context, permission: str) -> bool:
    """Return whether the reader's role has a permission."""
    return permission in context["request"].principal.permissions


@register.simple_tag
def console_texts() -> dict[str, Any]:
    """Return what scripts of the console say."""
    return {
        "selected": plural(
            ngettext("{count} selected", "{count} selected", 1),
            ngettext("{count} selected", "{count} selected", 2),
        )
    }


_TONES = {"running": "run", "waiting": "warn", "succeeded": "ok", "failed": "bad"}


@register.filter
def tone(state: str) -> str:
    """Return the sign of a run's or step's state."""
    return _TONES.get(str(state), "off")


@register.filter
def translated(text: str) -> str:
    """Return a stored English text key in the reader's language."""
    return gettext(text) if text else ""


@register.filter
def span(duration: dt.timedelta) -> str:
    """Return a duration as people read it: `0:08`, `3:08`, `1:10:00`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def day_short(day: dt.date) -> str:
    """Return `24 Nov` or `24. 11.`, for the axis of a chart."""
    return formats.date_format(day, "j. n." if (get_language() or "").startswith("de") else "j M")


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    """Return what a mapping holds for a key, or the key."""
    return mapping.get(key, key)

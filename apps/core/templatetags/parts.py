"""The small parts of the interface. Leaf parts are made here, parts with structure are files in `templates/parts/`.

No tag makes a query. What a tag gets is a frozen dataclass or a plain value, already allowed for the reader.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from apps.core import areas
from apps.core.script_texts import shell_texts

if TYPE_CHECKING:
    from uuid import UUID

    from django.forms import BoundField

register = template.Library()


class Face(Protocol):
    """What an avatar needs to know of a principal."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def initials(self) -> str: ...
    @property
    def tint(self) -> int: ...
    @property
    def is_agent(self) -> bool: ...


@register.simple_tag
def kept(name: str, **values: Hashable) -> SafeString:
    """Return a template that sees these values and nothing else of the page, from memory where it was drawn before.

    For what stands on page after page. Beside its values it may depend on the language, the time zone and the day.
    """
    return _drawn(name, get_language(), timezone.get_current_timezone_name(), timezone.localdate(), **values)


@lru_cache(maxsize=1024, typed=True)
def _drawn(_name: str, _language: str | None, _zone: str, _today: dt.date, **values: Hashable) -> SafeString:
    return render_to_string(_name, values)


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Return a symbol of the sprite, 20 px or with `s` 16 px. It is decoration: words stand beside it."""
    return _icon(name, size)


@lru_cache(maxsize=512)
def _icon(name: str, size: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " icon--s" if size == "s" else "", static("icons.svg"), name,
    )  # fmt: skip


@register.simple_tag
def stylesheets() -> SafeString:
    """Return the links to the style sheets of every page: one where they were joined."""
    return _stylesheets(settings.JOINED_STYLESHEET)


@lru_cache(maxsize=2)
def _stylesheets(joined: str) -> SafeString:
    names = [joined] if joined else [f"css/{name}.css" for name in settings.STYLESHEETS]
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(name),) for name in names))


@register.simple_tag(takes_context=True)
def avatar(context: template.Context, person: Face, size: str = "", presence: str = "") -> SafeString:
    """Return a face: round for people, square for agents.

    Args:
        size: empty (32 px), `s` (24) or `xs` (20).
        presence: `on`, `away` or `off` draws the sign and lets the socket keep it up to date.
    """
    if person.is_agent:
        return _agent_face(size)
    picture = getattr(person, "avatar", None) or getattr(person, "avatar_file_id", None)
    address = avatar_url(context, picture) if picture else ""
    of = str(person.id) if presence else ""
    return _face(
        size=size, tint=person.tint, picture=address, initials=person.initials, of=of, presence=presence
    )


@lru_cache(maxsize=4)
def _agent_face(size: str) -> SafeString:
    sized = f" avatar--{size}" if size else ""
    return format_html(
        '<span class="avatar avatar--agent{}" aria-hidden="true">{}</span>', sized, icon("agent")
    )


@lru_cache(maxsize=1024)
def _face(*, size: str, tint: int, picture: str, initials: str, of: str, presence: str) -> SafeString:
    return format_html(
        '<span class="avatar{}" data-tint="{}" aria-hidden="true">{}{}</span>',
        f" avatar--{size}" if size else "",
        tint,
        format_html('<img src="{}" alt="" loading="lazy">', picture) if picture else initials,
        format_html(
            '<span class="avatar__presence" data-presence="{}" data-presence-of="{}"></span>', presence, of
        )
        if presence
        else "",
    )


@register.simple_tag(takes_context=True)
def avatar_url(context: template.Context, file_id: object) -> str:
    """Return the address of a picture in the reader's organization."""
    return reverse("files:unnamed", kwargs={"slug": _slug(context), "file_id": file_id})


@register.simple_tag
def count(number: int, kind: str = "unread") -> SafeString:
    """Return a count with its words for screen readers: `unread`, `mention` or `plain`. Nothing for 0."""
    if not number:
        return SafeString("")
    words = {
        "unread": gettext("unread"),
        "mention": ngettext("mention", "mentions", number),
    }.get(kind, "")
    return format_html(
        '<span class="count{}">{}{}</span>',
        " count--mention" if kind == "mention" else "",
        number if number < 1000 else "999+",
        format_html('<span class="sr"> {}</span>', words) if words else "",
    )


@register.simple_tag
def tag(text: object, tone: str = "", sign: str = "") -> SafeString:
    """Return a small label; `tone` is empty, `accent`, `ok`, `warn` or `bad`."""
    return format_html(
        '<span class="tag{}">{}{}</span>',
        f" tag--{tone}" if tone else "",
        icon(sign, "s") if sign else "",
        text,
    )


@register.simple_tag
def state(tone: str, text: object) -> SafeString:
    """Return a state with its sign; `tone` is `ok`, `run`, `warn`, `bad` or `off`. Shapes differ, not only colours."""
    return format_html('<span class="state state--{}">{}</span>', tone, text)


@register.simple_tag
def progress(value: float, maximum: float, label: str, tone: str = "") -> SafeString:
    """Return a bar with a spoken name; `tone` is empty, `warn` or `bad`."""
    return format_html(
        '<progress value="{}" max="{}" aria-label="{}"{}></progress>',
        value, maximum, label, format_html(' class="is-{}"', tone) if tone else "",
    )  # fmt: skip


@register.simple_tag
def moment(when: dt.datetime | None, form: str = "time") -> SafeString:
    """Return a `<time>` in the reader's zone: `time` (09:14), `day` (24 Nov), `stamp` (24 Nov, 09:14) or `full`."""
    if when is None:
        return SafeString("")
    local = timezone.localtime(when)
    stamp = when.isoformat(timespec="milliseconds")
    # Not `format_html`, which looks for lazy texts: a page has a hundred times.
    text = f'<time datetime="{stamp}" data-form="{escape(form)}">{escape(_written(local, form))}</time>'
    return mark_safe(text)  # noqa: S308 - escaped


def _written(local: dt.datetime, form: str) -> str:
    clock = f"{local:%H:%M}"  # alike in both languages, and a page has a hundred of them
    if form == "time":
        return clock
    if form == "full":
        return f"{_day(local.date(), 'j. F Y' if _german() else 'j F Y', get_language())}, {clock}"
    day = _day(local.date(), "j. M." if _german() else "j M", get_language())
    if form == "day":
        return day
    return clock if local.date() == timezone.localdate() else f"{day}, {clock}"


@lru_cache(maxsize=1024)
def _day(day: dt.date, pattern: str, _language: str | None) -> str:
    return formats.date_format(day, pattern)


@register.filter
def day_name(day: dt.date) -> str:
    """Return `Today`, `Yesterday`, or the day in words; the year only where it is not this one."""
    today = timezone.localdate()
    if day == today:
        return gettext("Today")
    if day == today - dt.timedelta(days=1):
        return gettext("Yesterday")
    pattern = "l, j. F" if _german() else "l, j F"
    return _day(day, pattern if day.year == today.year else f"{pattern} Y", get_language())


def _german() -> bool:
    return (get_language() or "").startswith("de")


@register.filter
def with_class(bound: BoundField, classes: str) -> SafeString:
    """Render a form field's control with classes, named by its error and help."""
    described = [f"{bound.auto_id}-error"] if bound.errors else []
    described += [f"{bound.auto_id}-help"] if bound.help_text else []
    attributes: dict[str, Any] = {"class": classes}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return bound.as_widget(attrs=attributes)


@register.filter
def control(bound: BoundField) -> str:
    """Return what kind of control a field is: `check`, `checks`, `select`, `text`, `file` or `input`."""
    name = type(bound.field.widget).__name__
    kinds = {
        "CheckboxInput": "check", "CheckboxSelectMultiple": "checks", "RadioSelect": "checks", "Select": "select",
        "Textarea": "text", "ClearableFileInput": "file", "FileInput": "file", "HiddenInput": "hidden",
        "MultipleHiddenInput": "hidden",
    }  # fmt: skip
    return kinds.get(name, "input")


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, classes: str = "input") -> dict[str, Any]:
    """Render label, control, help and error of a form field."""
    return {"bound": bound, "classes": classes}


@register.simple_tag(takes_context=True)
def area_links(context: template.Context) -> tuple[areas.AreaLink, ...]:
    """Return the areas for the rail; empty for a visitor."""
    principal = _principal(context)
    if principal is None:
        return ()
    return _areas(principal.organization_slug, frozenset(principal.permissions), get_language())


@lru_cache(maxsize=256)
def _areas(slug: str, permissions: frozenset[str], _language: str | None) -> tuple[areas.AreaLink, ...]:
    return areas.links(slug=slug, permissions=permissions)


@register.simple_tag(takes_context=True)
def page_data(context: template.Context) -> dict[str, Any]:
    """Return what scripts need to know of the page: who reads, where to connect, and the texts of the shell."""
    request = context.get("request")
    data: dict[str, Any] = {"language": get_language(), "texts": shell_texts(), "debug": settings.DEBUG}
    data["icons"] = static("icons.svg")
    data["csrf"] = str(context.get("csrf_token", "")) if request is not None else ""
    principal = _principal(context)
    if principal is not None:
        slug = principal.organization_slug
        data["me"] = {"id": str(principal.id), "name": principal.name, "member": str(principal.member_id)}
        data["organization"] = {"id": str(principal.organization_id), "slug": slug}
        data["base"] = f"/o/{slug}/"
        if not principal.viewed_by:  # a view as somebody else is a picture: nothing happens in it
            data["socket"] = f"/ws/v1/?organization={slug}"
            data["notices"] = principal.notices
        # What a role gives in some circumstances only is not kept for others.
        data["offline_reading"] = settings.CONFIGURATION.chat.offline_reading and not principal.has_conditions
        data["emoji"] = static(f"vendor/emoji/{'de' if _german() else 'en'}.json")
    return data


@register.filter
def spaced(number: float) -> SafeString:
    """Return a number grouped as the language does: 1.840 or 1,840."""
    return mark_safe(formats.number_format(number, use_l10n=True, force_grouping=True))  # noqa: S308 - digits only


def _principal(context: template.Context) -> Any:  # an accounts.Principal; core knows no type of accounts
    return getattr(context.get("request"), "principal", None)


def _slug(context: template.Context) -> str:
    principal = _principal(context)
    return principal.organization_slug if principal is not None else str(context.get("slug", ""))


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def browser(user_agent: str) -> str:
    """Return a browser as people call it: `Firefox, Windows`. What is not known is cut short."""
    found = [
        next((name for sign, name in known if sign in user_agent), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or user_agent[:60] or gettext("unknown browser")

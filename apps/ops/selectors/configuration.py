"""The operator's settings as the console and the documentation list them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from apps.core.conf import loading
from apps.core.conf.loading import EffectiveValue

GROUPS = {
    "Server": gettext_noop("Server"),
    "Database": gettext_noop("Database"),
    "Redis": gettext_noop("Redis"),
    "Security": gettext_noop("Security and limits"),
    "File": gettext_noop("Files"),
    "Model": gettext_noop("Models"),
    "Mail": gettext_noop("Mail"),
}


@dataclass(frozen=True)
class SettingGroup:
    """Settings that belong together."""

    title: str
    values: tuple[EffectiveValue, ...]


def effective_settings(*, query: str = "") -> list[SettingGroup]:
    """Return every setting with its value and where it comes from; secrets say only whether they are set.

    Args:
        query: words that must all be in the variable, the description or the group's title.
    """
    words = query.lower().split()
    found: dict[str, list[EffectiveValue]] = {}
    for value in loading.effective(settings.CONFIGURATION):
        title = gettext(GROUPS.get(value.group, value.group))
        said = f"{value.variable} {gettext(value.description)} {title}".lower()
        if all(word in said for word in words):
            found.setdefault(title, []).append(value)
    return [SettingGroup(title, tuple(values)) for title, values in found.items()]

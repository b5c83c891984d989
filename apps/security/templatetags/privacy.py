"""Parts of the pages of privacy."""

from __future__ import annotations

from django import template

register = template.Library()
_TONES = {"requested": "warn", "running": "run", "done": "ok", "failed": "bad"}


@register.filter
def request_tone(state: str) -> str:
    """Return the sign of a request's state."""
    return _TONES.get(str(state), "off")

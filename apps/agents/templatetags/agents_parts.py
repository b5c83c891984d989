"""Parts of answers in templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from apps.agents import presenting
from apps.agents.presenting import Claim, Support

register = template.Library()


@register.filter
def claims(body: str, sources: Sequence[Mapping[str, Any]]) -> list[list[Claim]]:
    """Return the sentences of a card's text by paragraph."""
    return presenting.paragraphs(body, [int(source["number"]) for source in sources])


@register.filter
def support(parts: Sequence[Sequence[Claim]]) -> Support:
    """Return how many of the sentences have a source."""
    return presenting.support(parts)

"""Parts of answers in templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from apps.agents import presenting
from apps.agents.presenting import Claim, Support

register = template.Library()


@register.simple_tag
def claims_of(
    body: str, sources: Sequence[Mapping[str, Any]], checked: Sequence[Mapping[str, Any]] = ()
) -> list[list[Claim]]:
    """Return the sentences of a card's text by paragraph; cards of old answers say nothing about them."""
    return presenting.paragraphs(body, [int(source["number"]) for source in sources], checked or ())


@register.filter
def badge(claim: Claim) -> str:
    """Return the word for how far a sentence is supported; empty where it is."""
    return presenting.badge(claim)


@register.filter
def doubts(claim: Claim) -> str:
    """Return why a sentence is not supported, for people."""
    return presenting.reasons(claim)


@register.filter
def support(parts: Sequence[Sequence[Claim]]) -> Support:
    """Return how many of the sentences are supported."""
    return presenting.support(parts)

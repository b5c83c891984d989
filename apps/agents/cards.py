"""The card a message of an agent carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.agents.types import CARD, AnswerState
from apps.core.registry import register_card


def build(viewer: Any, card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the template's context: what the card says, and whether the viewer asked.

    Args:
        viewer: the principal who looks.
    """
    data = card["data"]
    return {
        "claims": (),  # cards of old answers say nothing about their sentences
        **data,
        "is_asker": str(getattr(viewer, "id", "")) == data["asker"],
        "is_finished": data["state"] != AnswerState.WRITING,
    }


register_card(CARD, "cards/answer.html", build)

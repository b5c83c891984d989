"""Vectors of texts through the gateway, counted in the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from apps.llm.services import budget
from apps.llm.services.registry import embedder
from apps.llm.services.tokens import estimate_tokens
from apps.llm.types import Caller, EmbeddedTexts, Usage


def embed(*, texts: Sequence[str], caller: Caller) -> EmbeddedTexts:
    """Return one vector for each text; work on this machine costs nothing and counts against no budget.

    Raises:
        core.errors.Unavailable: no vectors can be made now; try again later.
    """
    made = embedder()(texts)
    tokens = sum(estimate_tokens(text) for text in texts)
    budget.settle(
        reservation_id=None,
        caller=caller,
        provider="local",
        model=made.model_version,
        usage=Usage(tokens_in=tokens, tokens_out=0, is_estimated=True),
        outcome="done",
    )
    return made

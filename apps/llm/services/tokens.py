"""Token counts where nobody counts for us: an estimate, marked as one wherever it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from apps.llm.types import ChatMessage

_CHARACTERS_A_TOKEN = (
    3.3  # English 4, German 3 with the usual vocabularies: rather too many tokens than too few
)
_MESSAGE_TOKENS = 4  # role and marks around each message


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; 0 only for an empty one."""
    return -(-len(text) * 10 // round(_CHARACTERS_A_TOKEN * 10)) if text else 0


def estimate_prompt(messages: Sequence[ChatMessage]) -> int:
    """Return about how many tokens the messages have together."""
    return sum(estimate_tokens(message.content) + _MESSAGE_TOKENS for message in messages)

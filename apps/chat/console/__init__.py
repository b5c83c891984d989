"""The console's pages of chat by concept, loaded at start-up."""

from apps.chat.console import conversations, emoji, moderation, retention

__all__ = ["conversations", "emoji", "moderation", "retention"]

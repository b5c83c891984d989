"""The console's pages of chat by concept, loaded at start-up."""

from apps.chat.console import conversations, emoji, importing, moderation, retention

__all__ = ["conversations", "emoji", "importing", "moderation", "retention"]

"""The console's pages of chat, loaded at start-up."""

from apps.chat.console import conversations, emoji

__all__ = ["conversations", "emoji"]

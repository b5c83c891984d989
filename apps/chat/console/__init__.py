"""The console pages of this app, by concept."""

from apps.chat.console import conversations, moderation, retention

__all__ = ["conversations", "moderation", "retention"]

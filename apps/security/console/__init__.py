"""The console pages of this app, by concept."""

from apps.security.console import privacy

__all__ = ["privacy"]

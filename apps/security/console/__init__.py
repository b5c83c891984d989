"""The console pages of this app, by concept."""

from apps.security.console import privacy, trail

__all__ = ["privacy", "trail"]

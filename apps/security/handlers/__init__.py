"""What this app hears and does by the clock, by concept."""

from apps.security.handlers import privacy, trail

__all__ = ["privacy", "trail"]

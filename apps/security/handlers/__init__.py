"""What this app hears and does by the clock, by concept."""

from apps.security.handlers import privacy

__all__ = ["privacy"]

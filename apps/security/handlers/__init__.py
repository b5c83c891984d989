"""What this app hears and does by the clock, by concept."""

from apps.security.handlers import data_exports, privacy, trail

__all__ = ["data_exports", "privacy", "trail"]

"""Steps of this app's runs, by concept."""

from apps.security.steps import privacy, trail

__all__ = ["privacy", "trail"]

"""Steps of this app's runs, by concept."""

from apps.security.steps import data_exports, privacy, trail

__all__ = ["data_exports", "privacy", "trail"]

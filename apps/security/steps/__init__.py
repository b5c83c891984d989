"""Steps of this app's runs, by concept."""

from apps.security.steps import privacy

__all__ = ["privacy"]

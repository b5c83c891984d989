"""Wiring: settings, entry points and the supervisor. Apps never import this package."""

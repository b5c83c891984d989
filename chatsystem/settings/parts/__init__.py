"""Larger parts of the settings."""

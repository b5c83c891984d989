"""Writes of security."""

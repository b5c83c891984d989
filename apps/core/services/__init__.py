"""Writes of the mechanisms."""

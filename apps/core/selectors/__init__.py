"""Reads of the mechanisms."""

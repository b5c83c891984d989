"""Reads of the content index."""

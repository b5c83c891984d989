"""Writes of the content index, and opening what was cited."""

"""Reads of operations: health and figures."""

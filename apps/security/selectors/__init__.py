"""Reads of the trail."""

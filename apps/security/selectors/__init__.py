"""Reads of the trail and of privacy."""

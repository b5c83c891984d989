"""Reads of agents."""

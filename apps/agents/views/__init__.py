"""The ask page and its sources."""

"""REST endpoints of security."""

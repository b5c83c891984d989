"""REST endpoints of privacy."""

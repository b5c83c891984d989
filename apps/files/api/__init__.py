"""REST endpoints of files."""

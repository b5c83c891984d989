"""REST endpoints of chat."""

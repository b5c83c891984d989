"""REST endpoints of agents."""

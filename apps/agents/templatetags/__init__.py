"""Template tags of agents."""

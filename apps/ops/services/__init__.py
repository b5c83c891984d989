"""First start and demo."""

"""REST endpoints of documents."""

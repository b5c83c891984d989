"""Conventions of the REST API: one error shape, strict input, opaque cursors, limits, retry keys."""

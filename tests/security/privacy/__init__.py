"""Export and erasure of people: everything theirs, nothing of others."""

"""REST endpoints of the audit trail and of privacy."""

"""The audit trail below its service: declared actions, the seal of an entry, the hash of a link in the chain."""

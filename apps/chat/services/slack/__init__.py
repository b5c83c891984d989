"""Slack's export as an archive: read without trust, looked through, and stored as history."""

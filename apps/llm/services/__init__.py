"""What other apps call."""

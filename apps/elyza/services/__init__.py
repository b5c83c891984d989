"""What other apps call: vectors and answers."""

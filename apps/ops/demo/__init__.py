"""The demo organizations: who is in them, what they said, which documents they keep. Content only, no code."""

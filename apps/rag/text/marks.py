"""What a link says of the passage it leads to, so that another text in its place is noticed."""

from __future__ import annotations

import hashlib


def mark_of(quote: str) -> str:
    """Return 12 characters that name a text; empty for none."""
    return hashlib.sha256(quote.encode("utf-8", "replace")).hexdigest()[:12] if quote else ""

"""Random secrets in letters and digits."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_CHARACTERS = 43  # 32 bytes in base 62


def base62(characters: int = SECRET_CHARACTERS) -> str:
    """Return random letters and digits; 43 of them hold 256 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))

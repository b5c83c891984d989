"""Random secrets in letters and digits, in a form that scanners for leaked secrets know.

`ck_`, `cr_` or `cs_` (a key, a refresh token, the secret of a registered client), letters and digits with 256 random
bits, and six more that are their checksum: a scanner can tell a key of ours from any other text without asking us, and
a mistyped one is refused without a query.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_CHARACTERS = 43  # 32 bytes in base 62
_SHOWN, _CHECK = 8, 6
_LONG = re.compile(r"[0-9A-Za-z]{57}")


def base62(characters: int = SECRET_CHARACTERS) -> str:
    """Return random letters and digits; 43 of them hold 256 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def checked_secret(prefix: str) -> str:
    """Return a new secret: the prefix, eight characters to recognise it by, 43 that hold it, and the checksum."""
    random = base62(_SHOWN + SECRET_CHARACTERS)
    return f"{prefix}{random}{checksum(random)}"


def checksum(text: str) -> str:
    """Return the CRC-32 of a text in base 62, six characters."""
    number, found = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found


def is_well_formed(secret: str, prefix: str) -> bool:
    """Return whether the checksum of a secret is right; says nothing about whether it opens anything."""
    body = secret.removeprefix(prefix)
    return (
        secret.startswith(prefix)
        and bool(_LONG.fullmatch(body))
        and checksum(body[:-_CHECK]) == body[-_CHECK:]
    )

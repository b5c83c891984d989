"""The list of erased people, outside the database: keyed hashes only, so that a restore can erase them again.

The key lies beside the list. Whoever restores a backup of the database keeps this folder as it is; whoever loses the
folder can still erase by hand, but no longer knows whom. The same key seals certificates and makes pseudonyms.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

_LIST, _KEY = "erased.jsonl", "key"


@dataclass(frozen=True)
class Suppressed:
    """An erased person: hashes of user and address, in one organization."""

    organization_id: UUID
    user_hash: str
    email_hash: str
    erased_at: datetime
    request_id: UUID


def pseudonym(user_id: UUID) -> str:
    """Return what a certificate calls the person: the same for the same user, nothing without the key."""
    return _hash("pseudonym", str(user_id))[:32]


def user_hash(user_id: UUID) -> str:
    """Return how the list knows a user."""
    return _hash("user", str(user_id))


def email_hash(email: str) -> str:
    """Return how the list knows an address, letter case aside; empty for none."""
    return _hash("email", email.strip().lower()) if email else ""


def seal(document: dict[str, Any]) -> str:
    """Return the seal of a certificate: HMAC-SHA256 over its canonical JSON, without the seal itself."""
    bare = {name: value for name, value in document.items() if name != "seal"}
    return _hash("certificate", orjson.dumps(bare, option=orjson.OPT_SORT_KEYS).decode())


def is_genuine(document: dict[str, Any]) -> bool:
    """Return whether a certificate says what it said when it was sealed here."""
    return hmac.compare_digest(str(document.get("seal", "")), seal(document))


def append(entry: Suppressed) -> None:
    """Add a person to the list, on the disk before this returns. The same request twice adds one line."""
    if any(known.request_id == entry.request_id for known in entries()):
        return
    line = orjson.dumps(entry) + b"\n"
    descriptor = os.open(_folder() / _LIST, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entries() -> Iterator[Suppressed]:
    """Yield the list, oldest first.

    Raises:
        ValueError: a line is damaged; whoever restores has to know.
    """
    path = _folder() / _LIST
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found = orjson.loads(line)
            yield Suppressed(
                UUID(found["organization_id"]),
                found["user_hash"],
                found["email_hash"],
                datetime.fromisoformat(found["erased_at"]),
                UUID(found["request_id"]),
            )
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}, line {number} is damaged") from error


def _folder() -> Path:
    folder = settings.CONFIGURATION.security.suppression_dir or Path(settings.DATA_DIR) / "suppression"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(folder)


def _hash(purpose: str, text: str) -> str:
    return hmac.new(_key(), f"{purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    """Return the key, made at the first use: two processes that make it at once end with the same one."""
    path = _folder() / _KEY
    if not path.exists():
        draft = path.with_name(f"{_KEY}-{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_bytes()
        finally:
            draft.unlink()
    return path.read_bytes()

"""Secrets of an embedded stack: made once, one file each, readable by their owner only."""

import os
import secrets
from pathlib import Path

GENERATED = ("CHATSYSTEM_SECRET_KEY",)
_RANDOM_BYTES = 48  # 64 characters


def ensure_secrets(directory: Path) -> dict[str, str]:
    """Create missing secrets and return the `NAME_FILE` variables that point at them; given ones stay."""
    variables = {}
    for name in GENERATED:
        if os.environ.get(name) or os.environ.get(f"{name}_FILE"):
            continue
        path = directory / name.lower()
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(_RANDOM_BYTES))
        variables[f"{name}_FILE"] = str(path)
    return variables


def _write_once(path: Path, text: str) -> None:
    """Write under another name first: a kill in the middle leaves no half secret."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)

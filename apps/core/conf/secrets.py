"""Where secrets come from: the environment, a file a variable names, a directory of files; a store follows.

Providers are asked in their order. Files are read again when they change, so that a key can be added or taken away
without a restart by those who ask again (`core.services.secrets` does).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

DIRECTORY: Final = "CHATSYSTEM_SECRETS_DIR"
_Seen = tuple[int, int, int]


class SecretProvider(Protocol):
    """Where a secret may come from. The console shows its `origin` where it has one."""

    def find(self, name: str) -> str | None:
        """Return the secret of this variable name, or None.

        Raises:
            OSError: it is there and must or can not be read.
        """


class EnvironmentSecrets:
    """`NAME=value`."""

    origin = "environment"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def find(self, name: str) -> str | None:
        """Return the variable, or None where it is empty."""
        return self._environment.get(name) or None


class _Files:
    """Contents of files without their last line break, read again when the file changed."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[_Seen, str]] = {}

    def read(self, path: Path) -> str:
        status = path.stat()
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        kept = self._kept.get(path)
        if kept is None or kept[0] != seen:
            kept = (seen, path.read_text(encoding="utf-8").rstrip("\r\n"))
            self._kept[path] = kept
        return kept[1]


class FileSecrets:
    """`NAME_FILE=/path` in the environment: the file's content."""

    origin = "file"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment, self._files = environment, _Files()

    def find(self, name: str) -> str | None:
        """Return the content of the file the environment names."""
        path = self._environment.get(f"{name}_FILE")
        return self._files.read(Path(path)) if path else None


class DirectorySecrets:
    """A directory with a file for each secret, named like the variable in small letters; for its owner's eyes only."""

    origin = "file"

    def __init__(self, directory: Path) -> None:
        self._directory, self._files = directory, _Files()

    def find(self, name: str) -> str | None:
        """Return the content of the secret's file, or None where there is none.

        Raises:
            PermissionError: others than the owner may read or write it.
        """
        path = self._directory / name.lower()
        if not path.is_file():
            return None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PermissionError(0, "others may read it; chmod 600")
        return self._files.read(path)


def default_providers(environment: Mapping[str, str] | None = None) -> list[SecretProvider]:
    """Return the providers of this process in their order."""
    environment = os.environ if environment is None else environment
    found: list[SecretProvider] = [EnvironmentSecrets(environment), FileSecrets(environment)]
    if directory := environment.get(DIRECTORY):
        found.append(DirectorySecrets(Path(directory)))
    return found


def find(name: str, providers: Sequence[SecretProvider]) -> tuple[str | None, str]:
    """Return the first answer and where it came from; None and `default` where nobody has one.

    Raises:
        OSError.
    """
    for provider in providers:
        value = provider.find(name)
        if value is not None:
            return value, str(getattr(provider, "origin", "provider"))
    return None, "default"

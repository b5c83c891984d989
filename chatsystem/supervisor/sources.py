"""Whether the project's files have changed: between two starts, and while developing."""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

STARTED_FROM = ("apps", "chatsystem", "static", "locale", "requirements", "manage.py")
RELOADED = ("apps", "chatsystem")
_IGNORED = {"__pycache__", "supervisor", "testing"}
_LOOK_AGAIN_SECONDS = 0.5


def fingerprint(root: Path, names: Sequence[str] = STARTED_FROM, *, also: str = "", suffix: str = "") -> str:
    """A hash over path, size and time of every file below `names`, about 20 ms for 2 000 files."""
    digest = hashlib.sha256(also.encode())
    for entry in _files(root, names):
        if entry.name.endswith(suffix):
            found = entry.stat()
            digest.update(f"{entry.path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class Watch:
    """Notices changed Python files; looks at most twice a second however often it is asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._look()

    def has_changed(self) -> bool:
        if time.monotonic() - self._looked_at < _LOOK_AGAIN_SECONDS:
            return False
        before = self._seen
        self._seen = self._look()
        return self._seen != before

    def _look(self) -> str:
        self._looked_at = time.monotonic()
        return fingerprint(self._root, RELOADED, suffix=".py")


def _files(root: Path, names: Sequence[str]) -> Iterator[os.DirEntry[str]]:
    waiting = [root]
    while waiting:
        directory = waiting.pop()
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name in _IGNORED or (directory == root and entry.name not in names):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry
